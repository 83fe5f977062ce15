"""The way to a BMC, as a node's settings have it."""

from typing import Any

from bessemer.hardware.redfish.access import read_access
from bessemer.hardware.redfish.connection import BmcConnection
from bessemer.hardware.redfish.pool import BmcPool
from fakes.task import make_task


def connect(pool: BmcPool, driver_info: dict[str, Any]) -> BmcConnection:
    return pool.connection(read_access(make_task(driver_info=driver_info).node, pool.settings))
