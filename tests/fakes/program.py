"""Programs of this environment, run as a user runs them."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path


async def run(*command: str, environment: Mapping[str, str], timeout_s: float = 60.0) -> tuple[int, str]:
    """Exit status, and what was printed."""
    program, *arguments = command
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name(program)),
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode()
