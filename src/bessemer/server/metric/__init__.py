"""What the process shows of itself to Prometheus: at an address of its own, never beside the API."""
