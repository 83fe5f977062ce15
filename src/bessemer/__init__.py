"""Bessemer: bare-metal provisioning on durable operations."""
