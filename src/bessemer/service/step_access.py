"""Rules that an operator may define for single steps: ``baremetal:step:execute:<interface>.<step>``.

No such rule exists until a policy file defines it; a step without one is as free as the request that names
it. Source: v1 contract, access rules: per_step_rules.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bessemer.domain.node import Node
from bessemer.kernel.error import Forbidden
from bessemer.policy.policy import STEP_RULES
from bessemer.service.caller import Caller
from bessemer.service.target import of_node

_REQUESTED = ("clean_steps", "deploy_steps", "service_steps")


def step_rules(caller: Caller, steps: object) -> list[str]:
    """The rules defined for ``steps``, as a client wrote them: what is no step has no rule."""
    if caller.policy is None or not isinstance(steps, Iterable):
        return []
    names = {_name(step) for step in steps if isinstance(step, Mapping)}
    return sorted(name for name in names if caller.policy.has(name))


def check_steps(caller: Caller, node: Node, arguments: Mapping[str, Any]) -> None:
    """Hold the steps that a provision request names against their rules. Raises Forbidden, which tells all
    that are refused."""
    target = of_node(node)
    asked = [rule for name in _REQUESTED for rule in step_rules(caller, arguments.get(name, ()))]
    refused = [rule.removeprefix(STEP_RULES) for rule in asked if not caller.may(rule, target)]
    if refused:
        raise Forbidden(f"These steps are not for the caller: {', '.join(refused)}.")


def _name(step: Mapping[str, Any]) -> str:
    return f"{STEP_RULES}{step.get('interface')}.{step.get('step')}"
