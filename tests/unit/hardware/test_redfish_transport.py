"""What an idle connection to a BMC keeps: there are ten thousand of them."""

import asyncio
import gc

from aiohttp.http import HttpResponseParser

from bessemer.hardware.redfish.access import read_access
from bessemer.hardware.redfish.connection import BmcConnection
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.transfer.tls_stream import TlsStream
from fakes.scripted_bmc import SYSTEM
from fakes.task import make_task


def connect(pool: BmcPool, driver_info: dict) -> BmcConnection:
    return pool.connection(read_access(make_task(driver_info=driver_info).node, pool.settings))


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
