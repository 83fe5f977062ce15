"""Accounts as lines of a file: ``user:bcrypt-hash[:role[:project]]``.

A line of two fields is what ``htpasswd -B`` writes and Ironic reads: an account without limits. A role limits
it to what policy allows this role, on the whole system or, with a project, on what that project has.
Other servers ignore what follows the hash. Empty lines and lines that begin with # say nothing.
Source: RFC 7617; v1 contract, auth strategies; Keystone's implied roles.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bessemer.config.load import BadSettings
from bessemer.service.caller import Caller

_HASH = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
#: Below there is no bcrypt, above a check takes longer than anybody waits.
_COSTS = range(4, 18)
_ROLE = re.compile(r"[A-Za-z0-9_-]+")
#: Each role brings those after it.
_CHAIN = ("admin", "manager", "member", "reader")


@dataclass(frozen=True, slots=True)
class Account:
    """``cost`` is the logarithm of the rounds that the hash takes."""

    hash: bytes
    cost: int
    caller: Caller

    def __repr__(self) -> str:
        return f"Account({self.caller.user!r})"


def read_accounts(text: str, name: str) -> Mapping[str, Account]:
    """The accounts in ``text`` by user; ``name`` is that of the file, for messages.

    Raises:
        BadSettings: A line that is none of the above, by its number; hashes are not quoted.
    """
    accounts: dict[str, Account] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            user, account = _read(line.strip())
        except ValueError as error:
            raise BadSettings(f"{name}, line {number}: {error}.") from error
        if user in accounts:
            raise BadSettings(f"{name}, line {number}: user '{user}' is there twice.")
        accounts[user] = account
    return accounts


def _read(line: str) -> tuple[str, Account]:
    user, *fields = line.split(":")
    if not user or not 1 <= len(fields) <= 3:
        raise ValueError("not of the form user:hash[:role[:project]]")
    hashed = _HASH.fullmatch(fields[0])
    if hashed is None:
        raise ValueError(f"the hash of user '{user}' is not one of bcrypt (htpasswd -B)")
    if int(hashed[1]) not in _COSTS:
        raise ValueError(f"the cost of the hash of user '{user}' is not from {_COSTS[0]} to {_COSTS[-1]}")
    role = fields[1] if len(fields) > 1 else None
    project = fields[2] if len(fields) > 2 else None
    if role is not None and not _ROLE.fullmatch(role):
        raise ValueError(f"user '{user}' has no usable role after the hash")
    if project == "":
        raise ValueError(f"user '{user}' has no project after the role")
    return user, Account(fields[0].encode(), int(hashed[1]), _caller(user, role, project))


def _caller(user: str, role: str | None, project: str | None) -> Caller:
    if role is None:
        return Caller(user=user, user_name=user, is_trusted=True)
    return Caller(
        user=user,
        user_name=user,
        project=project,
        project_name=project,
        system_scope=None if project else "all",
        roles=_with_implied(role.lower()),
    )


def _with_implied(role: str) -> frozenset[str]:
    return frozenset(_CHAIN[_CHAIN.index(role) :]) if role in _CHAIN else frozenset({role})
