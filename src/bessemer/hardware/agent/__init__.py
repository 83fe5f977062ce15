"""The service's side of the agent that runs in a machine's ramdisk."""
