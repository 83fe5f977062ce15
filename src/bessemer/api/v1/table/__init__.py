"""What v1 says of its resources, as data: one module per resource, rows of ``field.py``'s vocabulary."""
