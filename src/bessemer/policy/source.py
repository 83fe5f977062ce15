"""The operator's policy files: read, and refused as a whole when anything in them is not understood.

oslo.policy alone takes a rule it cannot read for one that denies everything, and says so in its log only.
"""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oslo_policy import _checks, _parser
from oslo_policy.policy import parse_file_contents

from bessemer.config.settings import PolicySettings
from bessemer.kernel.error import BessemerError, Fault

#: Of every file that counts: its path, and what tells one version of it from another.
Signature = tuple[tuple[str, int, int, int], ...]

_NOBODY = "!"


class BadPolicy(BessemerError):
    """A policy file can not be used as it is."""

    code = "bad-policy"
    fault = Fault.OPERATOR


def list_files(settings: PolicySettings) -> list[Path]:
    """The files that count, in the order in which later ones win. Files that begin with a dot do not."""
    first = Path(settings.policy_file).absolute()
    found = [first] if first.exists() else []
    for name in settings.policy_dirs:
        directory = Path(name).absolute()
        if directory.is_dir():
            inside = (
                path for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")
            )
            found += sorted(inside)
    return found


def signature(paths: Sequence[Path]) -> Signature:
    """Raises OSError."""
    return tuple(
        (str(path), seen.st_mtime_ns, seen.st_size, seen.st_ino) for path in paths for seen in [path.stat()]
    )


def read_rules(path: Path) -> dict[str, Any]:
    """The checks in a file, by rule.

    Raises:
        BadPolicy: Everybody on this machine may write it; it cannot be read; it is not YAML or JSON that
            gives each rule a text; a check in it cannot be understood.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & stat.S_IWOTH:
            raise BadPolicy(f"{path} may be written by everybody on this machine.", hint=f"chmod o-w {path}")
        document = parse_file_contents(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"{path} cannot be read: {error}") from error
    except ValueError as error:
        raise BadPolicy(f"{path} is not YAML: {_in_one_line(error)}") from error
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise BadPolicy(f"{path} must give each rule its check: lines of the form 'rule': 'check'.")
    return {name: _parsed(path, name, text) for name, text in document.items()}


def check_references(rules: Mapping[str, _checks.BaseCheck]) -> None:
    """Raises BadPolicy when a rule refers to one that does not exist."""
    for name, check in rules.items():
        for part in walk(check):
            if isinstance(part, _checks.RuleCheck) and part.match not in rules:
                raise BadPolicy(f"The rule '{name}' refers to '{part.match}', which does not exist.")


def walk(check: Any) -> list[Any]:
    """A check and all its parts."""
    parts = getattr(check, "rules", None) or ([check.rule] if isinstance(check, _checks.NotCheck) else [])
    return [check, *(inner for part in parts for inner in walk(part))]


def _parsed(path: Path, name: str, text: object) -> Any:
    if not isinstance(text, str):
        raise BadPolicy(f"{path}: the check of '{name}' must be a text.", hint='Nobody is "!", everybody "".')
    check = _parser.parse_rule(text)
    meant = sum(word.strip("()") == _NOBODY for word in text.split())
    if sum(isinstance(part, _checks.FalseCheck) for part in walk(check)) != meant:
        raise BadPolicy(f"{path}: the check of '{name}' cannot be understood: {text!r}.")
    return check


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
