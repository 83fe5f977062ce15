"""``noop``: no remote volumes. The image is written to a local disk."""

from bessemer.hardware.interface import BareInterface, Task


class NoopStorage(BareInterface):
    name = "noop"

    def should_write_image(self, task: Task) -> bool:
        return True

    async def attach_volumes(self, task: Task) -> None:
        return None

    async def detach_volumes(self, task: Task) -> None:
        return None
