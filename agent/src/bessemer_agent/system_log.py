"""The ramdisk's logs, packed for the service to keep after a failure."""

import io
import re
from pathlib import Path

from bessemer_agent.child import Run
from bessemer_agent.error import ChildFailed
from bessemer_agent.journal import kept_lines

_COMMANDS = {
    "dmesg": ["busybox", "dmesg"],
    "ps": ["busybox", "ps"],
    "df": ["busybox", "df", "-a"],
    "ip_addr": ["busybox", "ip", "addr"],
    "ip_route": ["busybox", "ip", "route"],
}
_FILES = ("cmdline", "meminfo", "mounts", "partitions", "mdstat", "modules")
#: The token may be a kernel parameter, which the kernel also prints.
_TOKEN = re.compile(r"(agent[-_]token=)[^\s\"]+")


def collect_logs(run: Run, root: Path = Path("/")) -> str:
    """A gzipped tar archive in base64: the agent's journal, the kernel's log, processes, network, mounts.

    What cannot be had is left out; tokens are masked.
    """
    import base64

    texts = {"bessemer-agent": "\n".join(kept_lines()) + "\n"}
    for name in _FILES:
        try:
            texts[f"proc_{name}"] = (root / "proc" / name).read_text(errors="replace")
        except OSError as error:
            texts[f"proc_{name}"] = f"{error}\n"
    for name, argv in _COMMANDS.items():
        try:
            texts[name] = run(argv, timeout_s=20, check=False).stdout
        except ChildFailed as error:
            texts[name] = f"{error}\n"
    return base64.b64encode(_pack({name: mask(text) for name, text in texts.items()})).decode()


def mask(text: str) -> str:
    """The text with agent tokens replaced by asterisks."""
    return _TOKEN.sub(r"\1***", text)


def _pack(texts: dict[str, str]) -> bytes:
    import tarfile
    import time

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in texts.items():
            data = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), int(time.time())
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
