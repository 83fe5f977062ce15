"""Actions: what they do to the draft, and what they ask the caller to do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from bessemer.domain.capability import format_capabilities, parse_capabilities
from bessemer.domain.inspection.call import LEVELS, Call
from bessemer.domain.inspection.draft import Draft
from bessemer.domain.inspection.interpolation import interpolated
from bessemer.domain.inspection.path import delete_at, extend_at, parse_path, set_at
from bessemer.domain.trait import check_node_traits, check_trait
from bessemer.kernel.error import BessemerError, Fault, InvalidValue
from bessemer.kernel.secret import masked

_CAPABILITIES = "/properties/capabilities"
#: Actions whose words end up in logs and errors, where secrets do not belong.
_TELLING = frozenset({"log", "fail"})
#: Keys of ``driver_internal_info`` that are secret though their names do not say so.
_KEYS = frozenset({"boot_key"})


class RuleFailed(BessemerError):
    """A rule says that this inspection is to fail."""

    code = "inspection-rule-failed"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class Message:
    """A line for the log, at one of ``call.LEVELS``."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class ApiCall:
    """An HTTP GET to make once the rules are through; its answer is not looked at."""

    url: str
    headers: Mapping[str, str]
    proxies: Mapping[str, str]
    timeout_s: float = 5.0
    retries: int = 3
    backoff_factor: float = 0.3


Effect = Message | ApiCall


def carry_out(call: Call, draft: Draft) -> Iterator[Effect]:
    """Change ``draft`` as the action says, once for each item of its loop.

    Raises:
        RuleFailed: The action is to fail the inspection.
        InvalidValue: It cannot be done (a place that is not there, a value that does not fit).
    """
    for item in (None,) if call.loop is None else call.loop:
        names = draft.names()
        if call.loop is not None:
            names["item"] = interpolated(item, names)
        if call.op in _TELLING:
            names = {name: masked(known, _KEYS) for name, known in names.items()}
        effect = _ACTIONS[call.op](draft, interpolated(call.args, names))
        if effect is not None:
            yield effect


Args = Mapping[str, Any]


def _fail(_: Draft, args: Args) -> None:
    raise RuleFailed(str(args["msg"]))


def _log(_: Draft, args: Args) -> Message:
    level = args.get("level", "info")
    if level not in LEVELS:
        raise InvalidValue(f"there is no log level {str(level)[:80]!r}")
    return Message(level, str(args["msg"]))


def _api_call(_: Draft, args: Args) -> ApiCall:
    return ApiCall(
        url=str(args["url"]),
        headers=_texts(args, "headers"),
        proxies=_texts(args, "proxies"),
        timeout_s=_number(args, "timeout", 5),
        retries=int(_number(args, "retries", 3)),
        backoff_factor=_number(args, "backoff_factor", 0.3),
    )


def _texts(args: Args, name: str) -> dict[str, str]:
    value = args.get(name) or {}
    if not isinstance(value, dict):
        raise InvalidValue(f"'{name}' must be an object")
    return {str(key): str(one) for key, one in value.items()}


def _number(args: Args, name: str, default: float) -> float:
    try:
        return float(args.get(name, default))
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"'{name}' must be a number") from error


def _set_attribute(draft: Draft, args: Args) -> None:
    draft.node.set(args["path"], args["value"])


def _extend_attribute(draft: Draft, args: Args) -> None:
    draft.node.extend(args["path"], args["value"], unique=_is_unique(args))


def _del_attribute(draft: Draft, args: Args) -> None:
    draft.node.delete(args["path"])


def _set_capability(draft: Draft, args: Args) -> None:
    _change_capabilities(draft, str(args["name"]), str(args["value"]))


def _unset_capability(draft: Draft, args: Args) -> None:
    _change_capabilities(draft, str(args["name"]), None)


def _change_capabilities(draft: Draft, name: str, value: str | None) -> None:
    found = parse_capabilities(draft.node.document["properties"].get("capabilities"))
    found.pop(name, None)
    if value is not None:
        found[name] = value
    if found:
        draft.node.set(_CAPABILITIES, format_capabilities(found))
    else:
        draft.node.delete(_CAPABILITIES)


def _add_trait(draft: Draft, args: Args) -> None:
    draft.traits.add(check_trait(args["name"]))
    check_node_traits(draft.traits)


def _remove_trait(draft: Draft, args: Args) -> None:
    draft.traits.discard(check_trait(args["name"]))


def _set_plugin_data(draft: Draft, args: Args) -> None:
    set_at(draft.plugin_data, parse_path(args["path"]), args["value"])


def _extend_plugin_data(draft: Draft, args: Args) -> None:
    extend_at(draft.plugin_data, parse_path(args["path"]), args["value"], unique=_is_unique(args))


def _unset_plugin_data(draft: Draft, args: Args) -> None:
    delete_at(draft.plugin_data, parse_path(args["path"]))


def _set_port_attribute(draft: Draft, args: Args) -> None:
    draft.port(args["port_id"]).set(args["path"], args["value"])


def _extend_port_attribute(draft: Draft, args: Args) -> None:
    draft.port(args["port_id"]).extend(args["path"], args["value"], unique=_is_unique(args))


def _del_port_attribute(draft: Draft, args: Args) -> None:
    draft.port(args["port_id"]).delete(args["path"])


def _is_unique(args: Args) -> bool:
    return args.get("unique") in (True, "True", "true")


_ACTIONS: Final[Mapping[str, Callable[[Draft, Args], Effect | None]]] = MappingProxyType({
    "fail": _fail,
    "log": _log,
    "set-attribute": _set_attribute,
    "extend-attribute": _extend_attribute,
    "del-attribute": _del_attribute,
    "set-capability": _set_capability,
    "unset-capability": _unset_capability,
    "add-trait": _add_trait,
    "remove-trait": _remove_trait,
    "set-plugin-data": _set_plugin_data,
    "extend-plugin-data": _extend_plugin_data,
    "unset-plugin-data": _unset_plugin_data,
    "set-port-attribute": _set_port_attribute,
    "extend-port-attribute": _extend_port_attribute,
    "del-port-attribute": _del_port_attribute,
    "api-call": _api_call,
})  # fmt: skip
