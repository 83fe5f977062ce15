"""Text of others that we keep."""


def storable_of(text: str) -> str:
    """``text`` without what no database holds: NUL, and halves of surrogate pairs. Devices say such things
    when they start."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode(errors="ignore").decode()
