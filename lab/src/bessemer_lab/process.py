"""Child processes: argument lists, a deadline, and what they said when they fail."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bessemer_lab.error import LabError, MissingPackage


class ChildFailed(LabError):
    """A child process ended with an error or did not end in time."""


async def run_child(
    arguments: Sequence[str | Path],
    *,
    timeout_s: float,
    directory: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Raises:
        MissingPackage: The program is not installed.
        ChildFailed: It ended with another status than 0 (the message has the last lines it wrote to
            standard error) or was killed at the deadline.
    """
    program = str(arguments[0])
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=directory,
            env=environment,
        )
    except FileNotFoundError:
        raise MissingPackage(
            f"{program} is not installed; 'bessemer-lab check' says what is missing"
        ) from None
    try:
        async with asyncio.timeout(timeout_s):
            output, complaint = await process.communicate()
    except TimeoutError:
        raise ChildFailed(f"{program} did not end within {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        tail = "\n".join(complaint.decode(errors="replace").strip().splitlines()[-12:])
        raise ChildFailed(f"{program} ended with status {process.returncode}: {tail}")
    return output.decode(errors="replace")
