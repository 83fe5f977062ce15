"""Bytes on their way: files, ranges of them, and what image servers hold. Knows nothing of nodes."""
