"""The composition root: builds everything once, hands it on, and runs the process."""
