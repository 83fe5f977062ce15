"""Rules turned into closures, which answer a hundred times faster than walking oslo.policy's tree.

Every form of check that the defaults are made of has a closure of its own; a rarer one is left to the object
that oslo.policy made of it. The meaning is oslo.policy's, held to it by a property test.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oslo_policy import _checks
from oslo_policy.policy import AndCheck, NotCheck, OrCheck, RuleCheck

from bessemer.policy.credential import Credentials

Target = Mapping[str, Any]
#: A rule, ready to be asked.
Verdict = Callable[[Target, Credentials], bool]

_NAME = re.compile(r"[A-Za-z_]\w*")
_KEY = re.compile(r"%\(([^()%]+)\)s")
#: Python's own words, which oslo.policy compares as values.
_LITERALS = frozenset({"True", "False", "None"})


class Unsupported(ValueError):
    """A check that can not be part of a rule here; the text says why."""


class Compiler:
    """Makes closures of ``rules`` (name and check); rules that refer to others are put together at once.

    ``constants`` are parts of every target that never change.
    """

    def __init__(
        self, rules: Mapping[str, _checks.BaseCheck], constants: Target, default: str = "default"
    ) -> None:
        self._rules = rules
        self._constants = constants
        self._default = default
        self._made: dict[str, Verdict] = {}
        self._open: list[str] = []

    def compile_rule(self, name: str) -> Verdict:
        """What the rule ``name`` says; one that does not exist says what the default rule says, or no.

        Raises:
            Unsupported: It refers to itself, or has a check that is no good here.
        """
        if name not in self._rules:
            return self.compile_rule(self._default) if self._default in self._rules else _never
        if name not in self._made:
            if name in self._open:
                raise Unsupported(f"'{name}' refers to itself: {' -> '.join([*self._open, name])}")
            self._open.append(name)
            self._made[name] = self._compile(self._rules[name])
            self._open.pop()
        return self._made[name]

    def _compile(self, check: Any) -> Verdict:
        form = _FORMS.get(type(check))
        if form is None:
            raise Unsupported(f"checks of the kind '{getattr(check, 'kind', check)}' are not supported")
        return form(self, check)

    def _compile_parts(self, check: Any) -> list[Verdict]:
        return [self._compile(part) for part in check.rules]

    def _compile_match(self, check: Any) -> Verdict:
        """``kind:match``: an attribute of the caller equals a fixed text or an attribute of the target."""
        match = check.match
        key = _KEY.fullmatch(match)
        if key and key[1] in self._constants:
            match, key = str(self._constants[key[1]]), None
        if _NAME.fullmatch(check.kind) is None or check.kind in _LITERALS:
            return self._as_it_is(check)
        if key:
            return _same(check.kind, key[1])
        return (
            self._as_it_is(check)
            if "%" in check.match and match == check.match
            else _equals(check.kind, match)
        )

    def _compile_not(self, check: Any) -> Verdict:
        part = self._compile(check.rule)
        return lambda target, creds: not part(target, creds)

    def _as_it_is(self, check: Any) -> Verdict:
        constants = self._constants
        return lambda target, creds: _asked(check, {**constants, **target}, creds)


def _asked(check: Any, target: Target, creds: Credentials) -> bool:
    """What oslo.policy's own object says. Some texts make it fail (``100%``): then nobody passes."""
    try:
        return bool(check(target, creds, None))
    except (TypeError, ValueError, SyntaxError):
        return False


def _always(target: Target, creds: Credentials) -> bool:
    return True


def _never(target: Target, creds: Credentials) -> bool:
    return False


def _all(parts: Sequence[Verdict]) -> Verdict:
    if len(parts) == 2:
        first, second = parts
        return lambda target, creds: first(target, creds) and second(target, creds)

    def verdict(target: Target, creds: Credentials) -> bool:
        for part in parts:  # noqa: SIM110  all() of a generator takes twice as long
            if not part(target, creds):
                return False
        return True

    return verdict


def _any(parts: Sequence[Verdict]) -> Verdict:
    if len(parts) == 2:
        first, second = parts
        return lambda target, creds: first(target, creds) or second(target, creds)

    def verdict(target: Target, creds: Credentials) -> bool:
        for part in parts:  # noqa: SIM110  as above
            if part(target, creds):
                return True
        return False

    return verdict


def _role(check: Any) -> Verdict:
    if "%" in check.match:
        return lambda target, creds: _asked(check, target, creds)
    role = check.match.lower()
    return lambda target, creds: role in creds["roles"]


def _equals(kind: str, text: str) -> Verdict:
    return lambda target, creds: kind in creds and _is(creds[kind], text)


def _same(kind: str, key: str) -> Verdict:
    return lambda target, creds: key in target and kind in creds and _is(creds[kind], str(target[key]))


def _is(held: Any, text: str) -> bool:
    """Whether ``held``, or one item of a list, reads as ``text``."""
    if isinstance(held, list):
        return any(_is(item, text) for item in held)
    return str(held) == text


_FORMS: Mapping[type, Callable[[Compiler, Any], Verdict]] = {
    AndCheck: lambda compiler, check: _all(compiler._compile_parts(check)),
    OrCheck: lambda compiler, check: _any(compiler._compile_parts(check)),
    NotCheck: Compiler._compile_not,
    RuleCheck: lambda compiler, check: compiler.compile_rule(check.match),
    _checks.RoleCheck: lambda _, check: _role(check),
    _checks.GenericCheck: Compiler._compile_match,
    _checks.TrueCheck: lambda _, __: _always,
    _checks.FalseCheck: lambda _, __: _never,
}
