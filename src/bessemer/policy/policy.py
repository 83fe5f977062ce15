"""The rules in force: loaded, compiled, looked at again when their files change."""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import structlog

from bessemer.config.settings import PolicySettings, Settings
from bessemer.policy.compilation import Compiler, Target, Unsupported, Verdict
from bessemer.policy.credential import Credentials
from bessemer.policy.enforcer import make_enforcer
from bessemer.policy.rule import RULES
from bessemer.policy.source import (
    BadPolicy,
    Signature,
    check_references,
    list_files,
    read_rules,
    signature,
)

#: Seconds between two looks at the files.
LOOK_S = 1.0
#: Rules that nobody has to define: one for each step, asked only where the operator did.
STEP_RULES = "baremetal:step:execute:"

_DEFAULT = "default"
_OURS = "baremetal:"

log = structlog.get_logger(__name__)


class Policy:
    """Answers whether credentials pass a rule. Fails closed: a rule that does not exist says no."""

    def __init__(self, settings: PolicySettings, constants: Target) -> None:
        """``constants`` are parts of every target: what rules may know of the settings.

        Raises:
            BadPolicy: A file cannot be used.
        """
        self._settings = settings
        self._constants = constants
        self._refused = ""
        self._changing = threading.Lock()
        self._seen, self._verdicts = self._load(settings, constants)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The policy that ``settings`` ask for. Raises BadPolicy."""
        return cls(settings.oslo_policy, _constants(settings))

    def take(self, settings: Settings) -> None:
        """Read everything again, as new settings have it. A file that is gone is believed to be, this time.

        Raises:
            BadPolicy: A file cannot be used; settings and rules stay as they were.
        """
        constants = _constants(settings)
        with self._changing:
            self._seen, self._verdicts = self._load(settings.oslo_policy, constants)
            self._settings, self._constants, self._refused = settings.oslo_policy, constants, ""
        log.info("policy read again", files=[name for name, *_ in self._seen])

    @property
    def has_old_defaults(self) -> bool:
        """Whether what the rules of before scopes allowed is still allowed."""
        return not self._settings.enforce_new_defaults

    def allows(self, rule: str, target: Target, creds: Credentials) -> bool:
        """Whether ``creds`` pass ``rule`` on ``target``: what it says of a thing, such as ``node.owner``."""
        verdict = self._verdicts.get(rule) or self._verdicts.get(_DEFAULT)
        return verdict is not None and verdict(target, creds)

    def has(self, rule: str) -> bool:
        """Whether the rule exists: registered, or from a file."""
        return rule in self._verdicts

    async def run(self, look_s: float = LOOK_S) -> None:
        """Look at the files every ``look_s`` seconds, until cancelled."""
        while True:
            await asyncio.sleep(look_s)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:
                log.exception("policy files could not be looked at")

    def refresh(self) -> None:
        """Take over what has changed in the files. What cannot be used is refused, once in the log, and the
        rules in force stay."""
        with self._changing:
            self._refresh()

    def _refresh(self) -> None:
        try:
            if self._is_unchanged():
                return
            seen, verdicts = self._load(self._settings, self._constants)
        except (BadPolicy, OSError) as error:
            if self._refused != str(error):
                log.error("policy refused; the old rules stay in force", error=str(error))  # noqa: TRY400
            self._refused = str(error)
            return
        self._seen, self._verdicts, self._refused = seen, verdicts, ""
        log.info("policy changed", files=[name for name, *_ in seen])

    def _is_unchanged(self) -> bool:
        """Raises BadPolicy when a file is gone: less rules than before may mean more rights than before."""
        now = signature(list_files(self._settings))
        gone = {name for name, *_ in self._seen} - {name for name, *_ in now}
        if gone:
            raise BadPolicy(
                f"{min(gone)} is gone.", hint="Without it the defaults hold after a restart or SIGHUP."
            )
        return now == self._seen

    def _load(self, settings: PolicySettings, constants: Target) -> tuple[Signature, Mapping[str, Verdict]]:
        files = list_files(settings)
        before = signature(files)
        for path in files:
            _tell_unknown(path, read_rules(path))
        enforcer = make_enforcer(settings)
        enforcer.load_rules()
        if signature(list_files(settings)) != before:
            raise BadPolicy("The policy files changed while they were read.", hint="They are read again.")
        rules = dict(enforcer.rules)
        check_references(rules)
        compiler = Compiler(rules, constants, _DEFAULT)
        scopes = {rule.name: frozenset(rule.scope_types or ()) for rule in RULES}
        try:
            return before, {
                name: _scoped(compiler.compile_rule(name), scopes.get(name, frozenset())) for name in rules
            }
        except Unsupported as error:
            raise BadPolicy(f"A rule cannot be used: {error}.") from error


def _constants(settings: Settings) -> Target:
    """What rules may know of the settings."""
    default = settings.default
    if not default.rbac_service_role_elevated_access:
        return {}
    return {"config.service_project_name": default.rbac_service_project_name}


def _scoped(verdict: Verdict, scopes: frozenset[str]) -> Verdict:
    """``verdict`` for tokens of these scopes, no for others. A token of neither system nor domain counts as a
    project's, as oslo.policy has it."""
    if not scopes:
        return verdict
    is_for_system, is_for_project = "system" in scopes, "project" in scopes

    def scoped(target: Target, creds: Credentials) -> bool:
        if creds.get("system"):
            return is_for_system and verdict(target, creds)
        return is_for_project and not creds.get("domain_id") and verdict(target, creds)

    return scoped


def _tell_unknown(path: Path, names: Iterable[str]) -> None:
    """Log the names in a file that guard nothing: misspelt, or of other services."""
    known = {rule.name for rule in RULES} | {
        rule.deprecated_rule.name for rule in RULES if rule.deprecated_rule
    }
    for name in names:
        if name.startswith(_OURS) and name not in known and not name.startswith(STEP_RULES):
            log.warning("the policy file has a rule that guards nothing", file=str(path), rule=name)
