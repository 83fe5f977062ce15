"""The handlers: each takes a checked call, asks a service, and says what goes over the wire."""
