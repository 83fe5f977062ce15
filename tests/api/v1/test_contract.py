"""Our calls are those of the contract: none is missing, and each came when it came."""

import re

from fakes.api_world import World
from fakes.v1_contract import calls

#: Answered where other servers would say 404, so that clients learn what to do instead.
EXPLAINED = {
    ("PATCH", "/nodes"), ("DELETE", "/nodes"), ("POST", "/nodes/{}/ports"), ("GET", "/nodes/{}/ports/{}"),
    ("PATCH", "/nodes/{}/ports/{}"), ("DELETE", "/nodes/{}/ports/{}"), ("POST", "/portgroups/{}/ports"),
    ("GET", "/portgroups/{}/ports/{}"), ("PATCH", "/portgroups/{}/ports/{}"),
    ("DELETE", "/portgroups/{}/ports/{}"),
}  # fmt: skip
#: A field by its path, which the contract describes in words.
DESCRIBED = {("GET", "/nodes/{}/{}")}


def ours(world: World) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (route.method, re.sub(r"\{[^}]*\}", "{}", route.path)): (route.since, route.gate)
        for route in world.routes
    }


def test_the_table_of_the_contract_is_whole() -> None:
    assert len(calls()) == 146


async def test_every_call_of_the_contract_exists_and_came_when_it_came(world: World) -> None:
    found = ours(world)
    assert calls().keys() - found.keys() == set()
    wrong = {
        call: (found[call], (since, gate))
        for call, (since, gate) in calls().items()
        if found[call][0] != since or (gate is not None and found[call][1] != gate)
    }
    assert wrong == {}


async def test_there_are_no_other_calls(world: World) -> None:
    assert ours(world).keys() - calls().keys() == EXPLAINED | DESCRIBED
