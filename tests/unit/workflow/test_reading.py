"""What reading a machine's settings makes of errors."""

from types import SimpleNamespace
from typing import Any

import pytest

from bessemer.kernel.error import DeviceRefused, LeaseEnded
from bessemer.workflow.reading import look_up_settings


def task_of_a_machine_that_raises(error: Exception) -> Any:
    async def fail(_: Any) -> Any:
        raise error

    interface = SimpleNamespace(get_settings=fail, get_components=fail)
    return SimpleNamespace(driver=SimpleNamespace(bios=interface, firmware=interface))


async def test_a_machine_that_tells_nothing_is_no_failure() -> None:
    done = await look_up_settings(task_of_a_machine_that_raises(DeviceRefused("no")))
    assert done.detail == "BIOS settings could not be read: no; firmware components could not be read: no"


async def test_a_process_that_may_act_no_more_does_not_blame_the_machine() -> None:
    with pytest.raises(LeaseEnded):
        await look_up_settings(task_of_a_machine_that_raises(LeaseEnded("over")))
