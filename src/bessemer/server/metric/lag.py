"""How far the event loop is behind: whatever is slow, it shows here first."""

import asyncio

from bessemer.kernel.metric import LOOP_LAG_S

#: Between two looks, in seconds.
_LOOK_S = 0.25


async def watch_lag() -> None:
    """Measure until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        asked_for = loop.time() + _LOOK_S
        await asyncio.sleep(_LOOK_S)
        LOOP_LAG_S.observe(max(0.0, loop.time() - asked_for))
