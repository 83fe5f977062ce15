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
    """A step that reads them anew, behind one that may have changed them."""

    async def run(context: NodeContext) -> Done:
        return await look_up_settings(await open_task(context))

    return NodeStep(READ_SETTINGS, run, OnInterrupt.IDEMPOTENT)


async def look_up_settings(task: NodeTask) -> Done:
    """BIOS settings and firmware versions, stored when the step that asks for them is done.

    A machine that does not tell them is no reason to fail.

    Raises:
        FenceLost: The operation may be somebody else's.
    """
    found: list[tuple[_Put, _Reading]] = []
    told = []
    for what, read, put in _READINGS:
        try:
            reading = await read(task)
        except Unsupported:
            continue
        except FenceLost:  # the machine was not even asked
            raise
        except BessemerError as error:
            told.append(f"{what} could not be read: {error}")
        else:
            told.append(f"{len(reading)} {what}")
            found.append((put, reading))

    async def keep(tx: Transaction) -> None:
        for put, reading in found:
            await put(tx, task.node.uuid, reading)

    return Done(detail="; ".join(told), also=keep)
