"""Tokens of BMCs' events: every process with the key understands them, and nobody can guess one."""

from pathlib import Path

import pytest

from bessemer.kernel.error import Unavailable
from bessemer.kernel.ident import new_uuid
from bessemer.kernel.seal import Keyring, new_key
from bessemer.store.event_token import event_token, find_event_node
from bessemer.store.key_file import write_keys
from bessemer.store.vault import LOOK_S, Vault


def test_a_token_leads_to_its_node_with_every_key_that_is_not_put_away() -> None:
    old, new, uuid = new_key(), new_key(), new_uuid()
    token = event_token(Vault(Keyring([old])), uuid)
    assert len(token) == 75
    assert find_event_node(Vault(Keyring([new, old])), token) == uuid
    assert find_event_node(Vault(Keyring([new])), token) is None


def test_what_was_not_made_by_us_leads_nowhere() -> None:
    vault, uuid = Vault(Keyring([new_key()])), new_uuid()
    token = event_token(vault, uuid)
    other = new_uuid().replace("-", "")
    for wrong in ("", "x", token[:-1], f"{token}x", token.upper(), other + token[32:], "é" * 75, uuid):
        assert find_event_node(vault, wrong) is None


def test_a_key_that_came_into_use_elsewhere_is_looked_for(tmp_path: Path) -> None:
    old, new, uuid = new_key(), new_key(), new_uuid()
    path, now = tmp_path / "key", [0.0]
    write_keys(path, [old])
    vault = Vault(Keyring([old]), path, monotonic=lambda: now[0])
    write_keys(path, [new, old])
    token = event_token(Vault(Keyring([new, old])), uuid)
    assert find_event_node(vault, token) is None
    now[0] = LOOK_S
    assert find_event_node(vault, token) == uuid


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(Unavailable):
        event_token(Vault(None), new_uuid())
