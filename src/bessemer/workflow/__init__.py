"""What happens to a machine: verify, inspect, clean, deploy, tear down, power; each a table of steps."""
