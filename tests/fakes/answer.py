"""Answers that are meant to break whoever reads them."""

import zlib


def gzipped_zeros(size_bytes: int) -> bytes:
    """Little that unpacks to ``size_bytes``."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(bytes(size_bytes)) + packer.flush()


def too_deep() -> bytes:
    """JSON objects in one another, deeper than any decoder goes."""
    return b'{"a":' * 50_000 + b"1" + b"}" * 50_000
