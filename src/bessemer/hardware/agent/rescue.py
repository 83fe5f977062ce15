"""``agent`` rescue: the agent's ramdisk with a user ``rescue``, on the tenant's network.

Booting it and handing over the password is the rescue workflow's; there is nothing to do besides.
"""

from bessemer.hardware.interface import BareInterface, Task


class AgentRescue(BareInterface):
    name = "agent"
    needs_agent = True

    async def rescue(self, task: Task) -> None:
        return None

    async def unrescue(self, task: Task) -> None:
        return None

    async def clean_up(self, task: Task) -> None:
        return None
