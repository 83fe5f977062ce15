"""Identifiers: UUIDs that sort by creation (version 7), and the names and MAC addresses people type."""

import re
import secrets
import time

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)


def new_uuid() -> str:
    """A version 7 UUID: 48 bits of Unix milliseconds, 12 of their fraction, then random bits. Those that one
    process makes sort in the order they were made in. Source: RFC 9562, sections 5.7 and 6.2 (method 3).
    """
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    made = milliseconds << 16 | 0x7 << 12 | rest_ns * 4096 // 1_000_000
    text = f"{made:016x}{secrets.randbits(62) | 0x2 << 62:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_token() -> str:
    """43 URL-safe characters that nobody can guess (256 random bits)."""
    return secrets.token_urlsafe(32)


def is_uuid(text: str) -> bool:
    """Whether ``text`` has the hyphenated form of a UUID, of any version."""
    return _UUID.fullmatch(text) is not None


def is_mac(text: str) -> bool:
    """Whether ``text`` is six hexadecimal pairs joined by colons."""
    return _MAC.fullmatch(text) is not None
