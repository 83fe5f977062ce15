"""Sealing: only the right key opens, only at the right place, only what was not changed."""

import base64

import pytest

from bessemer.kernel.error import InvalidValue
from bessemer.kernel.seal import PREFIX, Keyring, SealBroken, UnknownKey, id_in, key_id, new_key

PLACE = "nodes/1/driver_info/redfish_password"


def test_what_was_sealed_opens_at_its_place_and_shows_nothing_before() -> None:
    keys = Keyring([new_key()])
    sealed = keys.seal(b"sesame", PLACE)
    assert sealed.startswith(PREFIX)
    assert b"sesame" not in base64.b64decode(sealed.rpartition(":")[2])
    assert keys.open(sealed, PLACE) == b"sesame"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    keys = Keyring([new_key()])
    assert keys.seal(b"sesame", PLACE) != keys.seal(b"sesame", PLACE)


def test_a_value_does_not_open_in_another_place() -> None:
    keys = Keyring([new_key()])
    sealed = keys.seal(b"sesame", PLACE)
    with pytest.raises(SealBroken, match="nodes/2"):
        keys.open(sealed, "nodes/2/driver_info/redfish_password")


def test_every_changed_byte_is_noticed() -> None:
    keys = Keyring([new_key()])
    head, _, body = keys.seal(b"sesame", PLACE).rpartition(":")
    raw = bytearray(base64.b64decode(body))
    for position in range(len(raw)):
        changed = bytes(raw[:position]) + bytes([raw[position] ^ 1]) + bytes(raw[position + 1 :])
        with pytest.raises(SealBroken):
            keys.open(f"{head}:{base64.b64encode(changed).decode()}", PLACE)


@pytest.mark.parametrize("tail", ["", "!", "AAAA", "A" * 40])
def test_what_is_no_sealed_value_is_refused_as_such(tail: str) -> None:
    keys = Keyring([new_key()])
    with pytest.raises(SealBroken):
        keys.open(f"{PREFIX}{keys.ids[0]}:{tail}", PLACE)


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, new = new_key(), new_key()
    sealed = Keyring([old]).seal(b"sesame", PLACE)
    both = Keyring([new, old])
    assert both.open(sealed, PLACE) == b"sesame"
    assert id_in(both.seal(b"sesame", PLACE)) == key_id(new)


def test_a_missing_key_is_named() -> None:
    old = new_key()
    sealed = Keyring([old]).seal(b"sesame", PLACE)
    with pytest.raises(UnknownKey, match=key_id(old)):
        Keyring([new_key()]).open(sealed, PLACE)


def test_a_keyring_shows_names_only() -> None:
    key = new_key()
    keys = Keyring([key])
    assert key_id(key) in repr(keys)
    assert base64.b64encode(key).decode() not in repr(keys)


@pytest.mark.parametrize("keys", [[], [b"short"], [b"x" * 33]])
def test_keys_of_the_wrong_length_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(InvalidValue):
        Keyring(keys)


def test_a_mark_is_always_the_same_and_only_made_with_the_key() -> None:
    old, new = new_key(), new_key()
    mark = Keyring([old]).mark("node 1")
    assert len(mark) == 43
    assert Keyring([old]).mark("node 1") == mark
    assert Keyring([new, old]).is_mark("node 1", mark)
    assert Keyring([new, old]).mark("node 1") != mark
    assert not Keyring([new]).is_mark("node 1", mark)
    assert not Keyring([old]).is_mark("node 2", mark)
    assert not Keyring([old]).is_mark("node 1", "")
    assert not Keyring([old]).is_mark("node 1", "é" * 43)
