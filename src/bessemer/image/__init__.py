"""Images that are written to disks, and config drives: where they are, whether they can be had, and what
the agent is told of them."""
