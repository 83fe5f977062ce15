"""A machine for the ramdisk: QEMU under TCG, UEFI, user-mode networking, no root needed."""

import shutil
import socket
import subprocess
from pathlib import Path

#: Firmware for 4 MiB flash, as Debian's ovmf package has it.
_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
GIB = 1024**3


def missing_tools() -> list[str]:
    """What must be installed for a machine and is not."""
    tools = ["qemu-system-x86_64", "mmdebstrap", "zstd", "xorriso", "mformat", "qemu-img", "sgdisk"]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return missing if _CODE.is_file() else [*missing, "ovmf"]


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class VirtualMachine:
    """One running machine with a SCSI disk, an NVMe disk and a CD.

    Args:
        folder: Holds disks, firmware variables and the console's log.
        vmlinuz: Kernel, started directly by the firmware.
        initrd: Ramdisk.
        command_line: Of the kernel.
        agent_port: Loopback port that leads to the agent's.
        cdrom: ISO in the drive.
    """

    def __init__(
        self, folder: Path, *, vmlinuz: Path, initrd: Path, command_line: str, agent_port: int, cdrom: Path
    ) -> None:
        self.disk, self.nvme = folder / "disk.raw", folder / "nvme.raw"
        self.variables, self.console = folder / "variables.fd", folder / "console.log"
        shutil.copyfile(_VARIABLES, self.variables)
        for path, size in ((self.disk, 5 * GIB), (self.nvme, GIB)):
            with path.open("wb") as stream:
                stream.truncate(size)
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-M", "q35", "-m", "1024", "-smp", "1", "-no-reboot"]
        argv += ["-display", "none", "-monitor", "none", "-serial", f"file:{self.console}"]
        argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={_CODE}"]
        argv += ["-drive", f"if=pflash,format=raw,file={self.variables}"]
        argv += ["-kernel", str(vmlinuz), "-initrd", str(initrd), "-append", command_line]
        argv += ["-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{agent_port}-:9999"]
        argv += ["-device", "virtio-net-pci,netdev=n0,mac=52:54:00:be:55:01,romfile="]
        argv += ["-device", "virtio-scsi-pci"]
        argv += ["-drive", f"if=none,id=d0,format=raw,discard=unmap,file={self.disk}"]
        argv += ["-device", "scsi-hd,drive=d0,serial=DISK-A,wwn=0x5000c50015ea71ac,rotation_rate=1"]
        argv += [
            "-drive",
            f"if=none,id=d1,format=raw,file={self.nvme}",
            "-device",
            "nvme,drive=d1,serial=NVME-A",
        ]
        argv += [
            "-drive",
            f"if=none,id=c0,format=raw,readonly=on,file={cdrom}",
            "-device",
            "scsi-cd,drive=c0",
        ]
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)

    def wait(self, timeout_s: float) -> int:
        """Wait until the machine has turned itself off."""
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """Take the power away. Idempotent."""
        self._process.kill()
        self._process.wait(30)

    def console_text(self) -> str:
        """What the machine said on its serial line."""
        return self.console.read_text(errors="replace")
