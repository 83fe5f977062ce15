"""Background duties that look at machines. Each looks at one node, compares, and mends the difference by the
same doors as everybody: a short transaction that looks again, or an operation."""
