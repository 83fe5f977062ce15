"""A small operating system for machines of a lab, built from Debian packages."""

from bessemer_lab.image.build import OsImage, build_os_image

__all__ = ["OsImage", "build_os_image"]
