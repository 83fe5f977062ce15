"""Who may do what: every rule in code, overridable by the operator's policy files."""
