"""Accounts in a file: for a service without Keystone."""
