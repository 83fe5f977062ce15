"""What an idle connection to a BMC keeps: there are ten thousand of them."""

import asyncio
import gc

from aiohttp.http import HttpResponseParser

from bessemer.transfer.tls_stream import TlsStream
from fakes.bmc_connection import connect
from fakes.scripted_bmc import SYSTEM


def streams() -> list[TlsStream]:
    return [one for one in gc.get_objects() if isinstance(one, TlsStream) and not one.is_closing()]


async def test_calls_at_the_same_time_leave_one_connection_behind(scripted, pool) -> None:
    bmc = connect(pool, scripted.driver_info())
    await asyncio.gather(*(bmc.get(SYSTEM) for _ in range(4)))
    (kept,) = streams()
    await bmc.get(SYSTEM)
    assert streams() == [kept]


async def test_an_idle_connection_keeps_nothing_of_the_last_answer(scripted, pool) -> None:
    await connect(pool, scripted.driver_info()).get(SYSTEM)
    gc.collect()
    assert streams()
    assert not [one for one in gc.get_objects() if isinstance(one, HttpResponseParser)]
