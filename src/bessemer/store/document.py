"""JSON documents as the database holds them: text."""

from typing import Any

import msgspec

from bessemer.kernel.error import InvalidValue

_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


def encode_json(value: Any) -> str:
    """``value`` as a JSON document.

    Raises:
        InvalidValue: It holds something that JSON has no form for.
    """
    try:
        return _encode_json(value).decode()
    except (TypeError, ValueError, UnicodeError) as error:
        raise InvalidValue(f"A value cannot be stored as JSON: {error}.") from error


def decode_json(text: str) -> Any:
    return _decode_json(text)


def decode_object(text: str) -> dict[str, Any]:
    found: dict[str, Any] = decode_json(text) if text != "{}" else {}
    return found
