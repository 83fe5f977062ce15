"""Tokens of Keystone: validated with Keystone itself, and believed for a while."""
