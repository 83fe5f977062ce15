"""Ids, clock, errors, secrets, back-off: pure, without I/O and without knowledge of bare metal."""
