"""Task: work that a BMC goes on with after it has answered 202.

Source: DMTF DSP0266, "Asynchronous operations"; https://redfish.dmtf.org/schemas/v1/Task.json
"""

import asyncio

from bessemer.hardware.redfish.connection import BmcConnection, Reply
from bessemer.hardware.redfish.failure import BmcRefused
from bessemer.hardware.redfish.resource import Resource, path_of

_BAD = ("Exception", "Killed", "Cancelled", "Interrupted")
_POLL_S = 1.0


async def see_through(bmc: BmcConnection, reply: Reply, what: str, *, timeout_s: float) -> None:
    """Wait for the task that ``reply`` names, if it names one. Time running out is not an error here.

    Raises:
        BmcRefused: The task failed; with the BMC's own words.
    """
    named = reply.body.get("@odata.id") if _is_task(reply.body) else None
    path = path_of(named or reply.location)
    if reply.status != 202 or path is None:
        return
    try:
        async with asyncio.timeout(timeout_s):
            while not await _is_over(bmc, path, what):  # noqa: ASYNC110  a BMC has no way to call us
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return


def _is_task(body: dict[str, object]) -> bool:
    return str(body.get("@odata.type", "")).startswith("#Task.")


async def _is_over(bmc: BmcConnection, path: str, what: str) -> bool:
    """Until the end a monitor answers 202, often without saying more. Raises BmcRefused when it failed."""
    try:
        reply = await bmc.ask(path)
    except BmcRefused as refused:
        if refused.status in (404, 410):  # finished tasks may be gone
            return True
        raise
    task = Resource(bmc, path, reply.body)
    state = task.find(str, "TaskState")
    if state in _BAD:
        raise BmcRefused(f"The BMC at {bmc.name} gave up {what}: {_said(task) or state}.")
    return state == "Completed" or (state is None and reply.status != 202)


def _said(task: Resource) -> str:
    messages = task.find_list(dict, "Messages") or []
    return " ".join(str(m["Message"]).rstrip(".") for m in messages if m.get("Message"))[:500]
