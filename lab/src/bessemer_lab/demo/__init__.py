"""The demo: a real operating system onto a virtual server, the way an operator would do it."""
