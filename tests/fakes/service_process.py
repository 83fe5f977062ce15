"""The real service in a process of its own, with fake hardware, for clients that know nothing of us."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp

from fakes.canary import WATCH
from fakes.port import free_port

START_S = 90.0


@contextlib.asynccontextmanager
async def service(
    directory: Path,
    *,
    more: str = "",
    port: int = 0,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """``bessemer serve`` on an empty database below ``directory``; gives its address.

    ``more`` is added to the settings file. ``headers`` are those of somebody who may list drivers, where not
    everybody may, and ``tls`` verifies a service that ``more`` gives a certificate.
    """
    port = port or free_port()
    settings = directory / "bessemer.ini"
    settings.write_text(
        f"[DEFAULT]\nstate_path = {directory / 'state'}\nhost = compat\n[api]\nport = {port}\n{more}"
    )
    with (directory / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("bessemer")),
            "serve",
            "--config-file",
            str(settings),
            stdout=log,
            stderr=log,
        )
    endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    connector = aiohttp.TCPConnector(ssl=tls or True)
    try:
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            await _answers(session, endpoint, process, directory / "log")
        yield endpoint
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 90)
        WATCH.look("the log of the service", (directory / "log").read_bytes())


async def _answers(
    session: aiohttp.ClientSession, endpoint: str, process: asyncio.subprocess.Process, log: Path
) -> None:
    """Wait until the service answers and its conductor offers drivers."""
    async with asyncio.timeout(START_S):
        while True:
            assert process.returncode is None, f"the service ended at once; see {log}"
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{endpoint}/v1/drivers") as answer:
                    if (await answer.json()).get("drivers"):
                        return
            await asyncio.sleep(0.05)
