"""Network interfaces: how machines are moved between networks."""
