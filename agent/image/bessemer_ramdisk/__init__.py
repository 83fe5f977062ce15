"""Builds the agent's ramdisk, kernel and initrd, from Debian packages; the same inputs give the same bytes.

The initrd is two archives behind each other, which the kernel unpacks in turn: Debian's files, packed once
and kept in the cache, and the agent itself, packed anew in a second whenever a line of it changes.
"""
