"""``make bench``: what the hot calls of the v1 API cost, over both databases, on a small and a large fleet.

    python -m bench.api [--nodes N ...] [--database sqlite|postgresql ...]

The figures of design.md for Ironic 39 stand beside; ``make bench-ironic`` measures Ironic itself.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.api import report
from bench.api.bessemer import serving
from bench.api.measure import Measurement

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))

from fixture_database import start_postgresql

FAMILIES = ("sqlite", "postgresql")
FLEETS = (1000, 10_000)


@contextmanager
def database(family: str, directory: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if family == "sqlite":
        yield f"sqlite:///{directory}/bench.sqlite"
        return
    with start_postgresql() as server:
        asyncio.run(server.command("CREATE DATABASE bench"))
        yield server.url("bench")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=FLEETS)
    parser.add_argument("--database", choices=FAMILIES, nargs="+", default=FAMILIES)
    arguments = parser.parse_args()
    for family in arguments.database:
        for nodes in arguments.nodes:
            with tempfile.TemporaryDirectory(prefix="bessemer-bench-") as name:
                directory = Path(name)
                with database(family, directory) as url:
                    with serving(directory, url) as server:
                        result = Measurement(server, nodes).run()
                    # Started again over what is there: that is how services start.
                    with serving(directory, url) as server:
                        result.first_answer_s = server.first_answer_s
            report.alone(f"{family}, {nodes} nodes", result)


if __name__ == "__main__":
    main()
