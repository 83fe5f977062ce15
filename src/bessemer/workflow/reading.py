"""Reading what a machine is set to, and keeping it where clients look it up without waiting for its BMC."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bessemer.engine.workflow import Done, OnInterrupt
from bessemer.kernel.error import BessemerError, FenceLost, Unsupported
from bessemer.store.bios_setting import put_bios_settings
from bessemer.store.database import Transaction
from bessemer.store.firmware_component import put_firmware_components
from bessemer.workflow.collaborators import NodeContext, NodeStep
from bessemer.workflow.task import NodeTask, open_task

READ_SETTINGS = "read BIOS settings and firmware"

_Reading = Sequence[Mapping[str, Any]]
_Read = Callable[[NodeTask], Awaitable[_Reading]]
_Put = Callable[[Transaction, str, _Reading], Awaitable[None]]

_READINGS: tuple[tuple[str, _Read, _Put], ...] = (
    ("BIOS settings", lambda task: task.driver.bios.get_settings(task), put_bios_settings),
    ("firmware components", lambda task: task.driver.firmware.get_components(task), put_firmware_components),
)


def read_settings() -> NodeStep:
    """A step that stores BIOS settings and firmware versions. A machine that does not tell them is no
    reason to fail: the journal says so."""

    async def run(context: NodeContext) -> Done:
        task = await open_task(context)
        told = [await _read(context, task, *reading) for reading in _READINGS]
        return Done(detail="; ".join(filter(None, told)))

    return NodeStep(READ_SETTINGS, run, OnInterrupt.IDEMPOTENT, timeout_s=180.0)


async def _read(context: NodeContext, task: NodeTask, what: str, read: _Read, put: _Put) -> str:
    try:
        found = await read(task)
        async with context.write() as tx:
            await put(tx, task.node.uuid, found)
    except FenceLost:
        raise
    except Unsupported:
        return ""
    except BessemerError as error:
        return f"{what} could not be read: {error}"
    return f"{len(found)} {what}"
