"""Machines that exist only in the database: for demonstrations, tests and load runs without hardware."""
