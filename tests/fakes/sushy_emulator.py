"""OpenStack's Redfish emulator (sushy-tools) as a child process: a BMC that we did not write.

``systems`` describes machines of its fake driver; ``libvirt_uri`` makes it drive libvirt's domains instead.
Source: sushy-tools' documentation, configuration options.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from pprint import pformat
from typing import Any

import bcrypt

from fakes.certificate import ServerCertificate, make_certificate

USERNAME = "operator"
PASSWORD = "s3cret words"
SYSTEM_UUID = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
START_S = 60.0
#: The fake driver takes 1 to 11 seconds for a change of power; this command always takes the shortest time.
QUICK = (
    sys.executable,
    "-c",
    "import random; random.randint = min; from sushy_tools.emulator.main import main; main()",
)

#: One machine of the fake driver, switched off.
FAKE_SYSTEM: Mapping[str, Any] = {
    "uuid": SYSTEM_UUID,
    "name": "fake-1",
    "power_state": "Off",
    "external_notifier": False,
    "nics": [{"mac": "00:5c:52:31:3a:9c", "ip": "172.22.0.100"}],
}


@dataclass(frozen=True)
class RunningEmulator:
    address: str
    certificate: ServerCertificate
    log: Path
    processes: list[asyncio.subprocess.Process] = field(repr=False)

    def driver_info(self, **changes: Any) -> dict[str, Any]:
        """``driver_info`` of a node whose BMC this is; name a system when it has several."""
        return {
            "redfish_address": self.address,
            "redfish_username": USERNAME,
            "redfish_password": PASSWORD,
            "redfish_verify_ca": str(self.certificate.certificate),
            **changes,
        }


@asynccontextmanager
async def sushy_emulator(
    directory: Path,
    *,
    systems: Sequence[Mapping[str, Any]] = (FAKE_SYSTEM,),
    libvirt_uri: str | None = None,
    listen_ip: str = "127.0.0.1",
    program: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[RunningEmulator]:
    """Serve HTTPS with basic authentication until the end of the block; state and log go to ``directory``.

    ``program`` replaces the command of this environment, for one that has libvirt's bindings. ``settings``
    are further options of the emulator's configuration file, without their ``SUSHY_EMULATOR_`` prefix.
    """
    certificate = make_certificate(directory, address=listen_ip, is_ca=True, name="sushy")
    port = _free_port(listen_ip)
    options = {
        "LISTEN_IP": listen_ip,
        "LISTEN_PORT": port,
        "SSL_CERT": str(certificate.certificate),
        "SSL_KEY": str(certificate.key),
        "AUTH_FILE": str(_password_file(directory)),
        "STATE_DIR": str(directory),
        "VMEDIA_VERIFY_SSL": False,
        **({"LIBVIRT_URI": libvirt_uri} if libvirt_uri else _fake_driver(systems)),
        **(settings or {}),
    }
    config = directory / "sushy.conf"
    config.write_text("".join(f"SUSHY_EMULATOR_{name} = {pformat(v)}\n" for name, v in options.items()))
    command = program or (sys.executable, "-m", "sushy_tools.emulator.main")
    log = directory / "sushy.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, "--config", str(config), stdout=output, stderr=output
        )
    try:
        await _answering(process, listen_ip, port, log)
        yield RunningEmulator(f"https://{listen_ip}:{port}", certificate, log, [process])
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def _fake_driver(systems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"FAKE_DRIVER": True, "FAKE_SYSTEMS": [dict(system) for system in systems]}


def _password_file(directory: Path) -> Path:
    digest = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4)).decode()
    path = directory / "htpasswd"
    path.write_text(f"{USERNAME}:{digest}\n")
    return path


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _require_running(process: asyncio.subprocess.Process, log: Path) -> None:
    assert process.returncode is None, log.read_text()


async def _answering(process: asyncio.subprocess.Process, address: str, port: int, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            _require_running(process, log)
            try:
                _, writer = await asyncio.open_connection(address, port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
