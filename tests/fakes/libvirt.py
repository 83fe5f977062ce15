"""Debian's libvirt as an ordinary user, for a BMC emulator that drives its machines.

A daemon of our own in libvirt's session mode: no root, no change under /etc, its state in a directory that
goes with it. Machines run under TCG with UEFI and QEMU's user-mode network, where guests reach the host at
10.0.2.2. Root gives up its rights to ``nobody`` for it: session mode is for ordinary users only.
"""

import asyncio
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bessemer.kernel.ident import new_uuid

START_S = 60.0
COMMAND_S = 60.0
#: Where Debian's python3-libvirt puts the bindings.
_BINDINGS = Path("/usr/lib/python3/dist-packages")


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """A virtual server to define. ``agent_port`` of the host leads to port 9999 of the guest; 0: nowhere."""

    name: str = "server"
    mac: str = "52:54:00:aa:00:01"
    memory_mib: int = 1024
    disk_gib: int = 4
    agent_port: int = 0


@dataclass(frozen=True)
class VirtualServer:
    uuid: str
    mac: str
    #: What the machine wrote to its serial port, since it was defined.
    console: Path

    def console_has(self, text: str) -> bool:
        return self.console.exists() and text.encode() in self.console.read_bytes()


class Libvirt:
    """A running daemon. ``python_path`` has the bindings, for programs of this environment's Python."""

    def __init__(self, directory: Path, user: Sequence[str]) -> None:
        self.directory = directory
        self._user = user
        self.uri = f"qemu:///session?socket={directory}/run/libvirt/libvirt-sock"
        self.python_path = directory / "python"

    def emulator_program(self) -> tuple[str, ...]:
        """A command for ``sushy_emulator`` that can talk to this daemon."""
        return ("env", f"PYTHONPATH={self.python_path}", sys.executable, "-m", "sushy_tools.emulator.main")

    async def define(self, spec: ServerSpec) -> VirtualServer:
        """Describe a server with an empty disk; it is off."""
        server = VirtualServer(new_uuid(), spec.mac, self.directory / f"{spec.name}.console")
        disk = self.directory / f"{spec.name}.qcow2"
        await self.run("qemu-img", "create", "-q", "-f", "qcow2", str(disk), f"{spec.disk_gib}G")
        document = self.directory / f"{spec.name}.xml"
        document.write_text(_describe(spec, server, disk))
        document.chmod(0o644)
        await self.virsh("define", str(document))
        return server

    async def virsh(self, *arguments: str) -> str:
        return await self.run("virsh", "--quiet", "--connect", self.uri, *arguments)

    async def run(self, *command: str) -> str:
        """Run a program as the daemon's user; gives its output."""
        process = await self.start(*command)
        output, _ = await asyncio.wait_for(process.communicate(), COMMAND_S)
        assert process.returncode == 0, f"{command}: {output.decode()}"
        return output.decode()

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._user,
            *command,
            env=self._environment(),
            cwd=self.directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.directory),
            "XDG_RUNTIME_DIR": str(self.directory / "run"),
            "XDG_CONFIG_HOME": str(self.directory / "config"),
            "XDG_DATA_HOME": str(self.directory / "data"),
            "XDG_CACHE_HOME": str(self.directory / "cache"),
        }


@asynccontextmanager
async def libvirt() -> AsyncIterator[Libvirt]:
    """A daemon until the end of the block; its machines end with it."""
    # Not under pytest's directories: others cannot enter those, and the path of a socket must be short.
    directory = Path(tempfile.mkdtemp(prefix="bessemer-libvirt-", dir="/tmp"))
    daemon = Libvirt(directory, _prepare(directory))
    process = await daemon.start("libvirtd")
    drain = asyncio.create_task(process.communicate())
    try:
        await _answering(daemon, process)
        await daemon.virsh("pool-define-as", "default", "dir", "--target", str(directory / "pool"))
        await daemon.virsh("pool-start", "default")
        try:
            yield daemon
        finally:
            for name in (await daemon.virsh("list", "--name")).split():
                await daemon.virsh("destroy", name)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(drain, 20)
        shutil.rmtree(directory, ignore_errors=True)


def _prepare(directory: Path) -> Sequence[str]:
    """Fill the daemon's directory; gives the words that start a program as its user."""
    for name in ("run", "config/libvirt", "data", "cache", "pool", "python"):
        (directory / name).mkdir(parents=True)
    config = 'security_driver = "none"\nstdio_handler = "file"\n'
    (directory / "config/libvirt/qemu.conf").write_text(config)
    modules = [_BINDINGS / "libvirt.py", *_BINDINGS.glob(f"libvirtmod.cpython-{_version()}-*.so")]
    assert len(modules) == 2, "python3-libvirt for this version of Python is not installed"
    for module in modules:
        (directory / "python" / module.name).symlink_to(module)
    if os.geteuid() != 0:
        return ()
    nobody = pwd.getpwnam("nobody")
    for path in (directory, *directory.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")


def _version() -> str:
    return f"{sys.version_info.major}{sys.version_info.minor}"


async def _answering(daemon: Libvirt, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_S):
        while True:
            assert process.returncode is None, "libvirtd has ended"
            probe = await daemon.start("virsh", "--quiet", "--connect", daemon.uri, "version")
            await probe.communicate()
            if probe.returncode == 0:
                return
            await asyncio.sleep(0.1)


def _describe(spec: ServerSpec, server: VirtualServer, disk: Path) -> str:
    """The domain. Its network card is not libvirt's: user-mode port forwarding came to it only with 9.2."""
    forward = f",hostfwd=tcp:127.0.0.1:{spec.agent_port}-:9999" if spec.agent_port else ""
    # Beyond the places that libvirt gives to devices of its own.
    card = f"virtio-net-pci,netdev=net0,mac={spec.mac},bus=pcie.0,addr=0x1c"
    return f"""
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{spec.name}</name><uuid>{server.uuid}</uuid>
  <memory unit='MiB'>{spec.memory_mib}</memory><vcpu>1</vcpu>
  <os firmware='efi'>
    <type arch='x86_64' machine='q35'>hvm</type>
    <firmware><feature enabled='no' name='secure-boot'/></firmware>
    <boot dev='hd'/>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact'><model>qemu64</model></cpu>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>restart</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe' discard='unmap'/>
      <source file='{disk}'/><target dev='sda' bus='scsi'/><serial>DISK-A</serial>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <serial type='file'><source path='{server.console}' append='on'/><target port='0'/></serial>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-netdev'/><qemu:arg value='user,id=net0{forward}'/>
    <qemu:arg value='-device'/><qemu:arg value='{card}'/>
  </qemu:commandline>
</domain>
"""
