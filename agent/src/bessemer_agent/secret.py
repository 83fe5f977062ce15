"""Text that must not be shown."""


class Secret:
    """A token or password whose ``repr`` and ``str`` are ``***``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends or compares it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def is_same(given: str, expected: Secret) -> bool:
    """Compare in constant time, so that a wrong token tells nothing about the right one."""
    from hmac import compare_digest

    return compare_digest(given.encode(), expected.reveal().encode())
