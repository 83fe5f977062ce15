"""Settings: their names, meanings and defaults, and how they are read: once, at start."""
