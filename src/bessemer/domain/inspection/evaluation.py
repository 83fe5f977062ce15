"""Applying rules: from what is known of a node to what is to change. Nothing is changed here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bessemer.domain.inspection.action import ApiCall, Effect, Message, RuleFailed, carry_out
from bessemer.domain.inspection.condition import holds
from bessemer.domain.inspection.draft import Draft
from bessemer.domain.inspection.rule import InspectionRule, check_actions, check_conditions, in_order
from bessemer.domain.node import Node
from bessemer.domain.port import Port
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules are applied to."""

    node: Node
    traits: Sequence[str] = ()
    ports: Sequence[Port] = ()
    inventory: JsonObject = field(default_factory=dict)
    plugin_data: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is to be done. With a ``failure`` the inspection has failed and nothing else is to be done but
    to log ``messages``."""

    failure: str | None = None
    #: Fields of the node with their new values.
    node_changes: JsonObject = field(default_factory=dict)
    #: By UUID of the port.
    port_changes: Mapping[str, JsonObject] = field(default_factory=dict)
    #: All the node is to have, or None when they stay.
    traits: tuple[str, ...] | None = None
    plugin_data: JsonObject = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    calls: tuple[ApiCall, ...] = ()
    #: UUIDs of the rules whose conditions held.
    applied: tuple[str, ...] = ()


def apply_rules(rules: Iterable[InspectionRule], subject: Subject) -> Outcome:
    """What ``rules``, in their order, make of ``subject``. Each sees what those before it changed.

    A rule that cannot be evaluated or carried out fails the inspection, by a message that names it. Of a
    sensitive rule no more than that is told.
    """
    draft = Draft.of(subject.node, subject.traits, subject.ports, subject.inventory, subject.plugin_data)
    effects: list[Effect] = []
    applied: list[str] = []
    for rule in in_order(rules):
        try:
            conditions, actions = check_conditions(rule.conditions), check_actions(rule.actions)
            if not all(holds(condition, draft.names()) for condition in conditions):
                continue
            applied.append(rule.uuid)
            for action in actions:
                for effect in carry_out(action, draft):
                    if _is_shown(rule, effect):
                        effects.append(effect)
        except (RuleFailed, InvalidValue) as error:
            return Outcome(failure=_failure(rule, error), messages=_messages(effects), applied=tuple(applied))
    return Outcome(
        node_changes=draft.node.changes(),
        port_changes={uuid: changes for uuid, port in draft.ports.items() if (changes := port.changes())},
        traits=tuple(sorted(draft.traits)) if draft.traits != set(subject.traits) else None,
        plugin_data=draft.plugin_data,
        messages=_messages(effects),
        calls=tuple(effect for effect in effects if isinstance(effect, ApiCall)),
        applied=tuple(applied),
    )


def _is_shown(rule: InspectionRule, effect: Effect) -> bool:
    return not (rule.sensitive and isinstance(effect, Message))


def _messages(effects: Iterable[Effect]) -> tuple[Message, ...]:
    return tuple(effect for effect in effects if isinstance(effect, Message))


def _failure(rule: InspectionRule, error: RuleFailed | InvalidValue) -> str:
    name = f"Inspection rule {rule.uuid}"
    if rule.sensitive:
        return f"{name} failed the inspection."
    if isinstance(error, RuleFailed):
        return f"{name} failed the inspection: {error.message}"
    return f"{name} can not be applied: {error}."
