"""Hardware types and their interfaces: how each kind of machine is controlled."""
