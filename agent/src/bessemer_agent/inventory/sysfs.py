"""Reading small kernel files: one value, absent or unreadable ones are None."""

from pathlib import Path


def read_text(path: Path) -> str | None:
    """The file's text without surrounding blanks and NULs; None when empty, absent, or refused by the
    driver.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None
    return text.strip(" \t\r\n\0") or None


def read_int(path: Path) -> int | None:
    """The file's decimal number; None when it holds none."""
    text = read_text(path)
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def read_link_name(path: Path) -> str | None:
    """The last part of what a symbolic link leads to; None when it is no link."""
    try:
        return path.readlink().name
    except OSError:
        return None
