"""Random lives of nodes over HTTP: the service and the model agree after every call.

``make fuzz`` lives longer (``LIVES``, ``STEPS``).
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from fakes.api_client import Reply
from fakes.live_process import LiveProcess, live_process
from property.provision import model
from property.provision.contract import STATES, VERBS
from property.provision.model import HOLDS, UNKNOWN, WAITS, WORKS, Ask, Node

LIVES, STEPS = int(os.environ.get("LIVES", "15")), int(os.environ.get("STEPS", "25"))
#: What goes wrong with a machine that fails, in each way that is no waiting: now and then, but always at the
#: same point of the same life.
FAULTS = {
    "power.*": "refused@nth5", "bios.factory_reset": "bug@nth2", "boot.*": "deadline@nth9",
    "boot.prepare_instance": "refused@first1",
    "deploy.*": "refused@nth2", "inspect.*": "unsupported@first1", "rescue.*": "refused@nth3",
    "storage.*": "bug@nth4", "management.*": "bug@nth7",
}  # fmt: skip
#: Fewer would mean that lives have become too dull to show anything.
FEWEST_STATES = 9
_STEP = {
    WORKS: {"interface": "bios", "step": "factory_reset"},
    HOLDS: {"interface": "deploy", "step": "hold"},
    WAITS: {"interface": "deploy", "step": "wait"},
    UNKNOWN: {"interface": "bios", "step": "polish"},
}
_ARGUMENTS = ("clean_steps", "service_steps", "deploy_steps", "rescue_password", "configdrive")
_POWER = {
    "power on": "power on", "power off": "power off", "rebooting": "power on", "soft rebooting": "power on",
    "soft power off": "power off",
}  # fmt: skip


#: The argument that each verb wants most of the time.
_FITTING = {
    "clean": "clean_steps", "service": "service_steps", "rescue": "rescue_password",
    "active": "deploy_steps", "deploy": "deploy_steps",
}  # fmt: skip


@dataclass(frozen=True)
class Manner:
    """How something is asked, whatever it is. Drawn without looking at the node: what is drawn in a repeated
    life must not depend on what came of it."""

    is_complete: bool
    more: str | None
    steps: tuple[str, ...]
    is_bad: bool

    def ask(self, verb: str) -> Ask:
        fitting = _FITTING.get(verb) if self.is_complete else None
        arguments = frozenset({fitting, self.more} - {None})
        steps = self.steps
        if "deploy_steps" in arguments:  # what the driver does not know is for the agent to judge
            steps = tuple(WORKS if step == UNKNOWN else step for step in steps)
        has_steps = any(name.endswith("_steps") for name in arguments)
        return Ask(verb, arguments, steps if has_steps else (), self.is_bad and bool(arguments))


STEP_LISTS = st.lists(st.sampled_from([WORKS, WORKS, HOLDS, WAITS, UNKNOWN]), min_size=1, max_size=3).map(
    tuple
)
MANNERS = st.builds(
    Manner,
    is_complete=st.integers(0, 9).map(bool),
    more=st.integers(0, 9).flatmap(lambda n: st.sampled_from(_ARGUMENTS) if n == 9 else st.none()),
    steps=STEP_LISTS,
    is_bad=st.integers(0, 14).map(lambda n: n == 14),
)
#: What a life begins with: verbs, and for those that take steps what the first one does.
_BEGINNINGS = (
    "",
    "manage",
    "manage inspect",
    "manage provide",
    "manage adopt",
    "manage clean:holds",
    "manage clean:waits",
    "manage provide active",
    "manage provide active:waits",
    "manage provide active deleted",
    "manage provide active rescue",
    "manage adopt rescue unrescue",
    "manage provide active service:waits",
    "manage provide active service:holds",
)
ASKS = st.builds(lambda verb, manner: manner.ask(verb), st.sampled_from(sorted(VERBS)), MANNERS)


def body_of(ask: Ask) -> dict[str, Any]:
    """The request as it is sent. A malformed argument is one of the wrong type."""
    body: dict[str, Any] = {"target": ask.verb}
    for name in ask.arguments:
        if ask.is_bad:
            body[name] = 7
        elif name == "deploy_steps":
            ordered = enumerate(reversed(ask.steps), 110)
            body[name] = [{**_STEP[step], "args": {}, "priority": number} for number, step in ordered]
        elif name.endswith("_steps"):
            body[name] = [_STEP[step] for step in ask.steps]
        else:
            body[name] = {"meta_data": {}} if name == "configdrive" else "hush"
    return body


class Life(RuleBasedStateMachine):
    """One node after the other on a service that all lives share."""

    live: ClassVar[LiveProcess]
    runner: ClassVar[asyncio.Runner]
    machines_fail: ClassVar[bool]
    #: States that nodes came to rest in, in all lives.
    visited: ClassVar[set[str]]
    iso: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.node = Node()
        self.uuid = self._enrol()
        self.seen: dict[str, Any] = {}

    # ------------------------------------------------------------------ what may happen

    @initialize(story=st.sampled_from(_BEGINNINGS), by_agent=st.booleans())
    def begin(self, story: str, by_agent: bool) -> None:
        """Lives would hardly ever get far from enrolment by chance."""
        if by_agent:
            self.patch({"inspect_interface": "agent", "rescue_interface": "agent"})
            self.node = replace(self.node, by_agent=True)
        for word in story.split():
            verb, _, step = word.partition(":")
            if verb in STATES[self.node.state].verbs:
                argument = _FITTING[verb] if step else model.NEEDS.get(verb)
                self.send(Ask(verb, frozenset({argument} - {None}), (step,) if step else ()))

    @rule(choice=st.integers(0, 59), steps=STEP_LISTS)
    def move_on(self, choice: int, steps: tuple[str, ...]) -> None:
        """Something that is possible, asked well."""
        self.send_possible(choice, Manner(is_complete=True, more=None, steps=steps, is_bad=False))

    @rule(choice=st.integers(0, 59), steps=STEP_LISTS)
    def move_on_further(self, choice: int, steps: tuple[str, ...]) -> None:
        """The same again: rules are taken equally often, and this is what lives are made of."""
        self.send_possible(choice, Manner(is_complete=True, more=None, steps=steps, is_bad=False))

    @rule(choice=st.integers(0, 59), manner=MANNERS)
    def ask_what_is_possible(self, choice: int, manner: Manner) -> None:
        self.send_possible(choice, manner)

    @rule(ask=ASKS, word=st.sampled_from(["", "zork", "error", "Manage", "clean wait"]))
    def ask_anything(self, ask: Ask, word: str) -> None:
        self.call("PUT", "/states/provision", {"target": word}, expect=400)
        self.send(ask)

    @rule(first=ASKS, second=ASKS)
    def ask_twice_at_once(self, first: Ask, second: Ask) -> None:
        """Nobody gets in the way of the other: it ends as if one had been asked after the other."""
        statuses = self.runner.run(self._both(body_of(first), body_of(second)))
        assert set(statuses) <= {202, 400, 403, 409}, statuses
        granted = [ask for ask, status in zip((first, second), statuses, strict=True) if status == 202]
        orders = {tuple(granted), tuple(reversed(granted))}
        self.settle([node for order in orders for node in self._after_all(order)])

    @rule(changes=st.sampled_from([
        {"protected": True}, {"protected": False}, {"retired": True}, {"retired": False},
        {"automated_clean": False}, {"automated_clean": None}, {"disable_power_off": True},
        {"disable_power_off": False},
    ]))  # fmt: skip
    def patch_flag(self, changes: dict[str, Any]) -> None:
        if self.patch(changes) == 200:
            self.node = replace(self.node, **changes)

    @rule(
        name=st.sampled_from(["instance_info", "extra", "properties"]),
        value=st.integers(),
        resource_class=st.sampled_from(["gold", "silver"]),
    )
    def patch_document(self, name: str, value: int, resource_class: str) -> None:
        status = self.patch({name: {"value": value}})
        assert (self.seen[name] == {"value": value}) or status == 409
        if self.seen["resource_class"] != resource_class:
            self.patch({"resource_class": resource_class})

    @rule(reason=st.sampled_from([None, "fan"]), words=st.sampled_from(["leave", "leave", "enter"]))
    def enter_or_leave_maintenance(self, reason: str | None, words: str) -> None:
        if words == "leave":
            self.call("DELETE", "/maintenance", expect=202)
            self.node = model.without_maintenance(self.node)
        else:
            self.call("PUT", "/maintenance", {"reason": reason}, expect=202)
            self.node = replace(self.node, maintenance=True)

    @rule(to=st.sampled_from([*_POWER, "zork"]))
    def switch_power(self, to: str) -> None:
        status = model.power_status(self.node, to) if to in _POWER else 400
        self.call("PUT", "/states/power", {"target": to}, expect=status)
        self.look()
        if status == 202:
            self.node = replace(self.node, has_failed=self.seen["last_error"] is not None)
            assert self.seen["power_state"] == _POWER[to] or (self.machines_fail and self.node.has_failed)

    @rule()
    def delete(self) -> None:
        status = model.delete_status(self.node)
        self.call("DELETE", "", expect=status)
        if status == 204:
            self.call("GET", "", expect=404)
            self.uuid, self.node = self._enrol(), Node()

    # ------------------------------------------------------------------ what must always hold

    @invariant()
    def agrees(self) -> None:
        self.look()
        assert self.seen["provision_state"] == self.node.state
        self.visited.add(self.node.state)
        assert self.seen["target_provision_state"] == self.node.target
        assert (self.seen["last_error"] is not None) == self.node.has_failed, self.seen["last_error"]
        for name in ("maintenance", "fault", "protected", "retired", "automated_clean", "disable_power_off"):
            assert self.seen[name] == getattr(self.node, name), name
        # A machine that boots an agent is on its way until the agent calls.
        if self.node.state not in ("inspect wait", "rescue wait"):
            assert self.seen["target_power_state"] is None

    @invariant()
    def nothing_is_on_its_way_alone(self) -> None:
        operations = self.runner.run(self.live.operations(self.uuid))
        unfinished = [one for one in operations if one["finished_at"] is None]
        assert len(unfinished) == (1 if self.node.is_at_work else 0), unfinished
        self.live.check_alive()

    # ------------------------------------------------------------------ helpers of the rules

    def send_possible(self, choice: int, manner: Manner) -> None:
        possible = sorted(STATES[self.node.state].verbs)
        if possible:
            self.send(manner.ask(possible[choice % len(possible)]))

    def send(self, ask: Ask) -> None:
        """A provision request, and a look at what comes of it."""
        status = model.status_of(self.node, ask)
        self.call("PUT", "/states/provision", body_of(ask), expect=status)
        if status == 202:
            self.settle(model.after(self.node, ask, machines_fail=self.machines_fail))

    def call(self, method: str, below: str, body: Any = None, *, expect: int) -> Reply:
        reply = self.runner.run(self.live.client.call(method, f"/v1/nodes/{self.uuid}{below}", body))
        assert reply.status == expect, (method, below, body, self.node, reply.status, reply.body)
        return reply

    def patch(self, changes: dict[str, Any]) -> int:
        status = model.patch_status(self.node, changes)
        ops = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in changes.items()]
        self.call("PATCH", "", ops, expect=status)
        self.look()
        return status

    def look(self) -> None:
        """The node as it is once nothing works on it."""
        self.seen = self.runner.run(self.live.settled(self.uuid))

    def settle(self, possible: list[Node]) -> None:
        """One of the ends that the model knows must have come about."""
        self.look()
        found = [node for node in possible if node.state == self.seen["provision_state"]]
        assert found, (self.seen["provision_state"], self.seen["last_error"], possible)
        failed = [node for node in found if node.has_failed == (self.seen["last_error"] is not None)]
        exact = [node for node in failed if node.maintenance == self.seen["maintenance"]]
        self.node = (exact or failed or found)[0]

    def _after_all(self, asks: Sequence[Ask]) -> list[Node]:
        """Every way the node may be after all of these, as far as each of them is possible then."""
        nodes = [self.node]
        for ask in asks:
            possible = [node for node in nodes if model.status_of(node, ask) == 202]
            nodes = [
                end for node in possible for end in model.after(node, ask, machines_fail=self.machines_fail)
            ]
        return nodes

    async def _both(self, *bodies: dict[str, Any]) -> list[int]:
        path = f"/v1/nodes/{self.uuid}/states/provision"
        replies = await asyncio.gather(*(self.live.client.put(path, body) for body in bodies))
        return [reply.status for reply in replies]

    def _enrol(self) -> str:
        isos = {"deploy_iso": self.iso, "rescue_iso": self.iso}
        body = {"driver": "fake-hardware", "driver_info": isos, "resource_class": "iron"}
        reply = self.runner.run(self.live.client.post("/v1/nodes", body))
        assert reply.status == 201
        uuid: str = reply.json["uuid"]
        return uuid


@pytest.fixture(params=[False, True], ids=["healthy machines", "machines that fail"])
def life(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[type[Life]]:
    """Lives on a service of their own."""
    faults = FAULTS if request.param else {}
    (tmp_path / "agent.iso").write_bytes(b"\0" * 2048)

    async def start() -> LiveProcess:
        return await stack.enter_async_context(
            live_process(
                tmp_path,
                template=sqlite_template,
                fake={"faults": faults},
                # Nobody else changes power: it would undo failures, and use up the faults that are counted.
                conductor={"sync_power_state_interval": 0, "file_url_allowed_paths": [str(tmp_path)]},
            )
        )

    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        live = runner.run(start())
        yield type(
            "Life",
            (Life,),
            {
                "live": live,
                "runner": runner,
                "machines_fail": request.param,
                "visited": set(),
                "iso": f"file://{tmp_path}/agent.iso",
            },
        )
        runner.run(stack.aclose())


def test_the_service_and_the_model_agree_whatever_is_asked(life: type[Life]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="LIVES" not in os.environ,  # the suite lives the same lives in every run
            phases=[Phase.generate],  # a life is quicker read than shrunk
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(life.visited) >= FEWEST_STATES, sorted(life.visited)
