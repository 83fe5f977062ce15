"""Storage interfaces: how remote volumes are connected to machines."""
