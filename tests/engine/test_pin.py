"""Held at an older release, a newer one asks for nothing that the older one cannot carry out."""

from dataclasses import replace
from typing import Any

import pytest

from bessemer.domain.operation import NewOperation, Operation, OperationState
from bessemer.domain.release import FIRST, Release, read_release
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Workflow
from bessemer.kernel.error import Unavailable
from bessemer.store.database import Database
from fakes.engine import PATIENCE_S, Record, running
from fakes.store import add_nodes

NEXT: Release = (0, 2)


def two_versions(record: Record) -> list[Workflow[Any]]:
    newer = replace(record.workflow(record.step("b"), version=2), since=NEXT)
    return [record.workflow(record.step("a")), newer]


async def asked(database: Database, gateway: Gateway, kind: str = "toy") -> Operation:
    [node] = await add_nodes(database, {})
    async with database.write() as tx:
        return await gateway.enqueue(tx, NewOperation(node_uuid=node.uuid, kind=kind))


async def test_held_at_the_release_before_operations_are_of_its_version(database: Database) -> None:
    record = Record()
    held = await asked(database, Gateway(two_versions(record), pinned=FIRST))
    free = await asked(database, Gateway(two_versions(record)))
    assert (held.version, free.version) == (1, 2)
    # The release before carries out the first and leaves the other to the newer one.
    async with running(database, two_versions(record)[:1]) as engine:
        done = await engine.wait_finished(held.uuid, PATIENCE_S)
    assert (done.state, record.calls) == (OperationState.SUCCEEDED, ["run a"])


async def test_kinds_that_the_release_before_does_not_have_are_refused_with_the_reason(
    database: Database,
) -> None:
    new = replace(Record().workflow(kind="brew"), since=NEXT)
    with pytest.raises(Unavailable, match="upgrade") as caught:
        await asked(database, Gateway([new], pinned=FIRST), "brew")
    assert "pin_release_version" in caught.value.hint
    assert (await asked(database, Gateway([new], pinned=NEXT), "brew")).version == 1


@pytest.mark.parametrize("text", ["0.1", " 0.1 ", "0.1.7"])
def test_our_releases_are_read_by_their_numbers(text: str) -> None:
    assert read_release(text) == FIRST


@pytest.mark.parametrize("text", [None, "", "0.9", "32.0", "2025.2", "zed", "0.1x"])
def test_what_is_no_release_of_ours_holds_no_operations(text: str | None) -> None:
    assert read_release(text) is None
