"""Checks that ask another server (``http:``, ``https:``): known, and refused wherever they stand in a rule.

oslo.policy looks for whatever is installed to extend it when it reads its first rule, and loads requests with
it: 4 MiB and a twentieth of a second for what is never used here. So it is told beforehand.
"""

from typing import Any

from oslo_policy import _checks


class RemoteCheck(_checks.Check):
    """Says no where it is asked all the same, by oslo.policy's tools. See ``compilation`` for the refusal."""

    def __call__(self, target: Any, creds: Any, enforcer: Any, current_rule: str | None = None) -> bool:
        return False


def refuse_remote_checks() -> None:
    """Let oslo.policy know these checks and no other extensions. To be called before any rule is made."""
    _checks.extension_checks = {"http": RemoteCheck, "https": RemoteCheck}
