"""Identifiers: UUIDs that sort by creation (version 7), and the names and MAC addresses people type."""

import os
import re
import secrets
import time
import uuid

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)


def new_uuid() -> str:
    """A version 7 UUID: 48 bits of Unix milliseconds, then random bits. Source: RFC 9562, section 5.7."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def new_token() -> str:
    """43 URL-safe characters that nobody can guess (256 random bits)."""
    return secrets.token_urlsafe(32)


def is_uuid(text: str) -> bool:
    """Whether ``text`` has the hyphenated form of a UUID, of any version."""
    return _UUID.fullmatch(text) is not None


def is_mac(text: str) -> bool:
    """Whether ``text`` is six hexadecimal pairs joined by colons."""
    return _MAC.fullmatch(text) is not None
