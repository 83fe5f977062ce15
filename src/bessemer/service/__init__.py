"""Use cases: the one door for every API. Checks the rules, changes records, starts operations."""
