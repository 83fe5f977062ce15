"""URLs as people write them: how to show one without its secrets, and which file a ``file://`` names."""

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from bessemer.kernel.error import InvalidValue

WEB_SCHEMES = ("http", "https")


def scheme_of(reference: str) -> str:
    """The scheme in lower case; '' for a plain path or a name."""
    head, colon, _ = reference.partition("://")
    return head.lower() if colon else ""


def shown(url: str) -> str:
    """``url`` as it may appear in messages and logs: no credentials, no query (it may be a signature)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(malformed URL)"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "..." if parts.query else "", ""))


def without_login(url: str) -> str:
    """``url`` without user and password, else as it is.

    Raises:
        InvalidValue: It cannot be read, so nobody knows what is in it.
    """
    try:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError as error:
        raise InvalidValue("The URL cannot be read.") from error


def host_of(parts: SplitResult) -> str:
    """The host of a URL, empty when it names none.

    Raises:
        ValueError: A resolver would refuse it: a label is empty or too long.
    """
    host = parts.hostname or ""
    host.encode("idna")
    return host


def check_web(url: str, what: str) -> str:
    """Give ``url`` back if it is an http(s) URL with a host and nothing that could break a line.

    Raises:
        InvalidValue: It is not; ``what`` names the setting in the message.
    """
    try:
        parts = urlsplit(url)
        is_good = parts.scheme.lower() in WEB_SCHEMES and bool(host_of(parts)) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not url.isprintable() or any(letter in url for letter in " \"'\\<>"):
        raise InvalidValue(f"{what} is not a usable http or https URL: {shown(url)!r}.")
    return url


def file_path(url: str) -> Path:
    """The path that a ``file://`` URL of this host names. Source: RFC 8089.

    Raises:
        InvalidValue: It names another host, or no absolute path.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        raise InvalidValue(f"'{shown(url)}' does not name a file of this host: write file:///absolute/path.")
    return Path(path)
