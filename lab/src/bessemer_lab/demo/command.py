"""``bessemer-demo``: from nothing to a deployed operating system and back, with the time each part takes."""

import argparse
import asyncio
import sys
from pathlib import Path

from bessemer_lab.demo.display import Display
from bessemer_lab.demo.operator import Failed, Operator
from bessemer_lab.demo.scene import Scene, scene
from bessemer_lab.image import OsImage, build_os_image

HOSTNAME = "first-light.example"
BOOT_S = 180.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="bessemer-demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running and say what to try next")
    parser.add_argument("--directory", type=Path, default=Path("build/demo"), help="where everything goes")
    parser.add_argument("--port", type=int, default=6385, help="port of the API (0: a free one)")
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments))
    except (Failed, RuntimeError, TimeoutError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        print(f"Logs are in {arguments.directory.resolve()}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    directory = arguments.directory.resolve()
    display = Display()
    display.begin("build the agent ramdisk and the OS image (kept for the next run)")
    ramdisk, image = await _build(directory.parent / "cache")
    display.end()
    fresh = directory / "run"
    await asyncio.to_thread(_empty, fresh)
    display.begin("start the virtual server, its BMC and the service")
    async with scene(fresh, ramdisk, image, port=arguments.port) as there:
        display.end(there.endpoint)
        operator = Operator(there, display.watch)
        await _first_light(there, operator, display)
        if arguments.keep:
            await _stay(there, operator, display)
            return
        await _tear_down(operator, display)
    display.summary()


async def _build(cache: Path) -> tuple[Path, OsImage]:
    ramdisk = cache / "ramdisk"
    builder = await asyncio.create_subprocess_exec(
        sys.executable, "agent/image/build.py", "--output", str(ramdisk), "--cache", str(cache / "agent"),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    image, (_, errors) = await asyncio.gather(build_os_image(cache / "os"), builder.communicate())
    if builder.returncode:
        raise RuntimeError(f"the ramdisk could not be built:\n{errors.decode(errors='replace')[-2000:]}")
    return ramdisk, image


def _empty(directory: Path) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


async def _first_light(there: Scene, operator: Operator, display: Display) -> None:
    for phase, work in (
        ("enrol: tell the service of the machine", lambda: operator.enrol("node-0")),
        ("manage: check that its BMC can be controlled", lambda: operator.move("manage", "manageable")),
        ("inspect: read its hardware from the BMC", lambda: operator.move("inspect", "manageable")),
        ("provide: clean it through the agent", lambda: operator.move("provide", "available")),
    ):
        display.begin(phase)
        await asyncio.to_thread(work)
        display.end()
    node, ports = await asyncio.to_thread(lambda: (operator.node(), operator.ports()))
    display.say(f"          found: {node.properties}; ports {[port.address for port in ports]}")

    display.begin("deploy: write the image, with a config drive")
    console_from = there.machine.console_path.stat().st_size
    drive = await asyncio.to_thread(operator.describe_instance, HOSTNAME)
    await asyncio.to_thread(lambda: operator.move("active", "active", config_drive=drive))
    display.end()
    display.begin("boot: wait for the operating system itself on the serial console")
    marker = f"hostname={HOSTNAME}"
    line = await there.lab.wait_for_console(there.machine, marker, BOOT_S, since=console_from)
    display.end(line.strip())
    await _show_journal(operator, display)


async def _show_journal(operator: Operator, display: Display) -> None:
    operations = await asyncio.to_thread(operator.operations)
    deployment = next(operation for operation in operations if operation["kind"] == "deploy")
    display.say(f"\nThe journal of the deployment ({deployment['uuid']}):")
    for entry in await asyncio.to_thread(operator.journal, deployment):
        took = f"{entry['duration_s']:6.1f} s" if entry["duration_s"] is not None else " " * 8
        name = entry["title"] or entry["step"]
        display.say(f"  {entry['at'][11:21]} {took}  {entry['event']:<10} {name:<28} {entry['detail']}"[:150])
    display.say()


async def _tear_down(operator: Operator, display: Display) -> None:
    display.begin("undeploy: delete the instance and clean the machine again")
    await asyncio.to_thread(lambda: operator.move("deleted", "available"))
    display.end()


async def _stay(there: Scene, operator: Operator, display: Display) -> None:
    display.summary()
    api = f"--os-auth-type none --os-endpoint {there.endpoint}"
    display.say(f"""
It is running. Try, in another terminal:
  .venv/bin/baremetal {api} node list
  .venv/bin/baremetal {api} node show node-0
  .venv/bin/baremetal {api} node reboot node-0
  .venv/bin/baremetal {api} node undeploy node-0
  .venv/bin/bessemer operation --endpoint {there.endpoint} list node-0
  .venv/bin/bessemer-lab console node-0 --directory {there.directory / "lab"}
Logs and settings are in {there.directory}. Ctrl-C ends it.""")
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
