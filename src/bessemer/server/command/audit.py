"""``bessemer audit``: look at the audit trail, check it, cut off what is old."""

import argparse
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from bessemer.server.command.opened import add_config_file, run_on_database
from bessemer.server.command.trail import chain, host_user

if TYPE_CHECKING:
    from bessemer.config.settings import Settings
    from bessemer.store.audit import Head, Link
    from bessemer.store.database import Database

_HEAD = re.compile(r"(\d+):([0-9a-f]{64})")
_FILTERS = ("user", "project", "resource", "request_id", "outcome", "since", "until")


def register(commands: Any) -> None:
    """Add the command to the sub-parsers of ``bessemer``."""
    parser = commands.add_parser("audit", help="list, verify and prune the audit trail")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="check the whole chain; prints its head, to be kept elsewhere")
    verify.add_argument("--head", type=_head, help="a head that was printed earlier: POSITION:HASH")
    show = actions.add_parser("list", help="print events, oldest first, one JSON document per line")
    for name in _FILTERS:
        show.add_argument(f"--{name.replace('_', '-')}")
    show.add_argument("--after", type=int, default=0, help="only events behind this position of the chain")
    show.add_argument("--limit", type=int, default=1000, help="how many at most (default: 1000)")
    prune = actions.add_parser("prune", help="delete old events; the chain goes on from an anchor")
    prune.add_argument("--keep-days", type=int, required=True, help="how old events may be, in days")
    for action, work in ((verify, _verify), (show, _list), (prune, _prune)):
        add_config_file(action)
        action.set_defaults(run=partial(run_on_database, work=work))


async def _verify(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    """Exit status 1 when the chain is not sound."""
    from bessemer.store.audit import verify_chain

    verdict = await verify_chain(database, arguments.head)
    if verdict.problem:
        print(f"NOT SOUND: {verdict.problem}", file=sys.stderr)  # noqa: T201  a command's own output
        _print(f"sound up to: {verdict.head}")
        return 1
    count = verdict.head.position - verdict.anchor.position
    _print(f"sound: {count} events, {verdict.unchained} not chained yet")
    if verdict.anchor.position:
        _print(f"anchor: {verdict.anchor}")
    _print(f"head: {verdict.head}")
    return 0


async def _list(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.store.audit import AuditFilter, list_links

    filters = AuditFilter(**{name: getattr(arguments, name) for name in _FILTERS})
    after, left = arguments.after, arguments.limit
    while left > 0:
        async with database.read() as tx:
            links = await list_links(tx, filters, after=after, limit=min(left, 500))
        for link in links:
            _print(_line(link))
        if not links:
            break
        after, left = links[-1].position, left - len(links)
    return 0


async def _prune(arguments: argparse.Namespace, settings: "Settings", database: "Database") -> int:
    from bessemer.engine.reconcile.prune import prune_trail
    from bessemer.store.audit import get_anchor

    days = max(0, arguments.keep_days)
    count = await prune_trail(database, keep_days=days, command="bessemer audit prune", user=host_user())
    await chain(database)
    async with database.read() as tx:
        anchor = await get_anchor(tx)
    _print(f"{count} events deleted; anchor: {anchor}")
    return 0


def _line(link: "Link") -> str:
    import msgspec

    return msgspec.json.encode({"position": link.position, **msgspec.to_builtins(link.event)}).decode()


def _head(text: str) -> "Head":
    from bessemer.store.audit import Head

    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError("a head is POSITION:HASH, as 'verify' prints it")
    return Head(int(found[1]), found[2])


def _print(line: str) -> None:
    print(line)  # noqa: T201  a command's own output
