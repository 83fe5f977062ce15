"""``agent`` inspection: the machine boots the ramdisk, which reports what it finds.

Booting it and waiting for its report is the inspect workflow's; there is nothing to do besides.
"""

from bessemer.hardware.interface import BareInterface, Inspection, Task
from bessemer.kernel.error import Unsupported


class AgentInspect(BareInterface):
    name = "agent"
    is_out_of_band = False

    async def inspect(self, task: Task) -> Inspection:
        raise Unsupported("The inspect interface 'agent' asks no BMC: the ramdisk reports.")
