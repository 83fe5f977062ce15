"""Deploy templates: steps that join a deployment because the instance asks for a trait of that name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bessemer.kernel.clock import Timestamp
from bessemer.kernel.error import InvalidValue

JsonObject = dict[str, Any]


class DeployTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored of a deploy template. Field names and meanings are those of the v1 API."""

    uuid: str
    #: A trait.
    name: str
    created_at: Timestamp
    updated_at: Timestamp | None = None
    #: Checked by ``step_request.check_template_steps``.
    steps: tuple[JsonObject, ...] = ()
    extra: JsonObject = {}


def matching(templates: Iterable[DeployTemplate], traits: Collection[str]) -> list[DeployTemplate]:
    """The templates that one of these traits (``instance_info.traits``) asks for, in order of name."""
    return sorted((one for one in templates if one.name in traits), key=lambda one: one.name)


def chosen_steps(templates: Iterable[DeployTemplate], requested: Sequence[JsonObject]) -> list[JsonObject]:
    """The steps users want of a deployment: the requested ones, and those of matching templates that no
    requested one stands in for. They in turn go before what drivers and agents offer by themselves.

    Raises:
        InvalidValue: Two templates name the same step: nobody could say which of them is meant.

    Source: v1 contract, steps.user_formats.deploy_steps.precedence and deploy templates.
    """
    by_key: dict[tuple[str, str], JsonObject] = {}
    origin: dict[tuple[str, str], str] = {}
    for template in templates:
        for step in template.steps:
            key = _key(step)
            if key in by_key:
                raise InvalidValue(
                    f"Deploy templates {origin[key]} and {template.name} both have the step {'.'.join(key)}.",
                    hint="Ask for one of them in instance_info.traits.",
                )
            by_key[key], origin[key] = step, template.name
    by_key |= {_key(step): step for step in requested}
    return list(by_key.values())


def _key(step: Mapping[str, Any]) -> tuple[str, str]:
    return (step["interface"], step["step"])
