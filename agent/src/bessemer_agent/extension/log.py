"""Commands of the ``log`` extension."""

from bessemer_agent.context import Context
from bessemer_agent.progress import Progress


def collect_system_logs(context: Context, progress: Progress) -> dict[str, str]:
    """The ramdisk's logs: base64 of a gzipped tar archive."""
    from bessemer_agent.system_log import collect_logs

    del progress
    return {"system_logs": collect_logs(context.machine.run)}
