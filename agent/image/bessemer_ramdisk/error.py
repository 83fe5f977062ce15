"""What can go wrong while building."""


class BuildError(Exception):
    """The ramdisk could not be built; the text says why and what to do."""
