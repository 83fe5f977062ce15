"""openstacksdk's own functional tests of bare metal, from its wheel: all pass, none is skipped."""

import asyncio
import os
import re
import sys
from pathlib import Path

import openstack.tests.functional.baremetal as theirs

from fakes.service_process import service

CLOUDS = ("devstack", "devstack-alt", "devstack-admin", "devstack-system-admin")
#: Less would mean that their files were not found.
FEWEST = 90
LIMIT_S = 600.0


def clouds(endpoint: str) -> str:
    """Each of the clouds they ask for is ours, without authentication and without other services."""
    entry = (
        f"    auth_type: none\n    auth: {{endpoint: {endpoint}}}\n"
        f"    baremetal_endpoint_override: {endpoint}\n    has_compute: false\n    has_image: false\n"
    )
    return "clouds:\n" + "".join(f"  {name}:\n{entry}" for name in CLOUDS)


async def test_the_functional_tests_of_openstacksdk_pass(tmp_path: Path) -> None:
    async with service(tmp_path) as endpoint:
        config = tmp_path / "clouds.yaml"
        config.write_text(clouds(endpoint))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pytest", "-q", "--tb=short", "--show-capture=no", "-p", "no:cacheprovider",
            "-p", "no:looptime", "--rootdir", str(tmp_path), "-c", os.devnull, *theirs.__path__,
            cwd=tmp_path,
            env=os.environ | {"OS_CLIENT_CONFIG_FILE": str(config), "OS_TEST_TIMEOUT": "60"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    text = output.decode(errors="replace")
    assert process.returncode == 0, text[-6000:]
    passed = re.search(r"(\d+) passed", text)
    assert passed is not None, text[-2000:]
    assert int(passed[1]) >= FEWEST
    assert "skipped" not in text.splitlines()[-1]
