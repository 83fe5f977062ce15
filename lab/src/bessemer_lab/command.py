"""The ``bessemer-lab`` command."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bessemer_lab.check import REQUIREMENTS, list_missing
from bessemer_lab.error import LabError
from bessemer_lab.fleet import command as fleet
from bessemer_lab.image import build_os_image
from bessemer_lab.lab import Lab, describe
from bessemer_lab.spec import DiskSpec, Firmware, MachineSpec
from bessemer_lab.terminal import attach


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 done, 1 failed (standard error says why), 2 wrong usage."""
    options = _make_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except LabError as error:
        print(f"bessemer-lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bessemer-lab", description="Virtual bare metal: QEMU machines with BMCs."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="keep machines running until Ctrl-C")
    run.add_argument("--directory", type=Path, required=True, help="where disks and settings are kept")
    run.add_argument("--machines", type=int, default=1, metavar="N", help="how many (default 1)")
    run.add_argument("--memory-mib", type=int, default=1024, help="memory of each (default 1024)")
    run.add_argument("--disk-gib", type=int, default=4, help="size of the disk of each (default 4)")
    run.add_argument("--firmware", type=Firmware, choices=list(Firmware), default=Firmware.UEFI)
    run.add_argument("--simulated", action="store_true", help="BMCs only, without QEMU")
    run.add_argument("--json", action="store_true", help="print how to reach the machines as JSON")
    run.set_defaults(run=_run)

    fleet.register(commands)

    image = commands.add_parser("image", help="the operating system image")
    image_commands = image.add_subparsers(required=True, metavar="COMMAND")
    build = image_commands.add_parser("build", help="build it, unless the cache holds it")
    build.add_argument("--cache", type=Path, default=_find_cache(), help="cache directory (%(default)s)")
    build.add_argument("--json", action="store_true", help="print paths and checksums as JSON")
    build.set_defaults(run=_build_image)

    console = commands.add_parser("console", help="attach to a serial console; Ctrl-] leaves")
    console.add_argument("name", help="of the machine, such as node-0")
    console.add_argument("--directory", type=Path, required=True, help="of the lab")
    console.set_defaults(run=_attach)

    check = commands.add_parser("check", help="say what is not installed")
    check.set_defaults(run=_check)
    return parser


def _find_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bessemer-lab"


def _run(options: argparse.Namespace) -> int:
    asyncio.run(_keep_running(options))
    return 0


async def _keep_running(options: argparse.Namespace) -> None:
    is_over = asyncio.Event()
    for end in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(end, is_over.set)
    async with Lab(options.directory) as lab:
        for number in range(options.machines):
            spec = MachineSpec(
                name=f"node-{number}",
                memory_mib=options.memory_mib,
                disks=(DiskSpec(size_gib=options.disk_gib),),
                firmware=options.firmware,
            )
            await lab.add(spec, simulated=options.simulated)
        machines = [describe(machine) for machine in lab.machines]
        if options.json:
            print(json.dumps({"machines": machines}), flush=True)
        else:
            for machine in machines:
                width = max(map(len, machine))
                print("\n".join(f"{name:<{width}}  {value}" for name, value in machine.items()), end="\n\n")
            print("The machines are off; power them on through their BMCs. Ctrl-C ends the lab.", flush=True)
        await is_over.wait()


def _build_image(options: argparse.Namespace) -> int:
    image = asyncio.run(build_os_image(options.cache, report=lambda text: print(text, file=sys.stderr)))
    paths = [image.raw, image.zstd, image.gzip, image.qcow2]
    if options.json:
        forms = [{"path": str(path), "sha256": image.sha256[path.name]} for path in paths]
        print(json.dumps({"images": forms}))
        return 0
    for path in paths:
        print(f"{path}  {path.stat().st_size / (1 << 20):.1f} MiB  sha256 {image.sha256[path.name]}")
    return 0


def _attach(options: argparse.Namespace) -> int:
    index = options.directory / "lab.json"
    try:
        machines = {machine["name"]: machine for machine in json.loads(index.read_text())["machines"]}
    except FileNotFoundError:
        raise LabError(f"{options.directory} is not the directory of a lab") from None
    if options.name not in machines:
        known = ", ".join(machines) or "none"
        raise LabError(f"the lab has no machine {options.name!r}; it has: {known}")
    try:
        asyncio.run(attach(Path(machines[options.name]["console_socket"])))
    except OSError as error:
        raise LabError(
            f"{options.name} has no console now: the machine or the lab is off ({error})"
        ) from error
    return 0


def _check(_: argparse.Namespace) -> int:
    missing = list_missing()
    if not missing:
        print(f"All {len(REQUIREMENTS)} requirements are met.")
        return 0
    for requirement in missing:
        print(f"missing: {requirement.thing} (package {requirement.package}, for {requirement.purpose})")
    packages = sorted({requirement.package for requirement in missing})
    print(f"\nInstall: apt-get install --no-install-recommends {' '.join(packages)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
