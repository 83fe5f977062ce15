"""``make bench-ironic``: Ironic 39 and Bessemer side by side; is Bessemer as much cheaper as promised?

    python -m bench.ironic [--nodes N] [--postgresql] [--environment DIRECTORY]

Exit status 1 when a required ratio or bound is missed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from bench.api import bessemer, call, report
from bench.api.__main__ import database
from bench.api.client import Client
from bench.api.fleet import node
from bench.api.measure import Measurement, Result
from bench.ironic import install, server

_BUILD = Path(__file__).parent.parent.parent / "build"


def ironic(programs: Path, family: str, nodes: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="ironic-bench-") as name:
        directory = Path(name)
        with database(family, directory) as url:
            address = url.replace("postgresql://", "postgresql+psycopg2://")
            with server.serving(programs, directory, address, is_new=True) as running:
                result = Measurement(running, nodes).run()
            with server.serving(programs, directory, address, is_new=False) as running:
                result.first_answer_s = running.first_answer_s
            return result


def ours(family: str, nodes: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="bessemer-bench-") as name:
        directory = Path(name)
        with database(family, directory) as url:
            with bessemer.serving(directory, url) as running:
                result = Measurement(running, nodes).run()
            with bessemer.serving(directory, url) as running:
                result.first_answer_s = running.first_answer_s
            return result


def large_fleet(nodes: int) -> tuple[float, float, float]:
    """First answer over a new database, then over one with ``nodes`` nodes (SQLite), in seconds; and MiB
    resident once they have all been created and listed with detail."""
    with tempfile.TemporaryDirectory(prefix="bessemer-bench-") as name:
        directory = Path(name)
        url = f"sqlite:///{directory}/bench.sqlite"
        with bessemer.serving(directory, url) as running:
            first_s = running.first_answer_s
            client = Client(running.port)
            for number in range(nodes):
                client.call("POST", "/v1/nodes", node(number))
            address = following = "/v1/nodes/detail?limit=1000"
            while (page := client.get(following))["nodes"]:
                following = f"{address}&marker={page['nodes'][-1]['uuid']}"
            client.close()
            resident_mib = running.resident_mib()
        with bessemer.serving(directory, url) as running:
            return first_s, running.first_answer_s, resident_mib


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--postgresql", action="store_true", help="over PostgreSQL instead of SQLite")
    parser.add_argument("--environment", type=Path, default=_BUILD / "ironic-39")
    arguments = parser.parse_args()
    family = "postgresql" if arguments.postgresql else "sqlite"
    programs = install.installed(arguments.environment)
    theirs = ironic(programs, family, arguments.nodes)
    is_cheaper = report.beside(ours(family, arguments.nodes), theirs, family)
    new_s, again_s, resident_mib = large_fleet(call.RESIDENT_NODES)
    is_small = report.bounds(
        (
            ("first answer, new database", new_s, call.FIRST_ANSWER_S, "s"),
            (f"first answer, {call.RESIDENT_NODES} nodes", again_s, call.FIRST_ANSWER_S, "s"),
            (f"resident, {call.RESIDENT_NODES} nodes in SQLite", resident_mib, call.RESIDENT_MIB, "MiB"),
        )
    )
    return 0 if is_cheaper and is_small else 1


if __name__ == "__main__":
    sys.exit(main())
