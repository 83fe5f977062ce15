"""ATA drives: SECURITY ERASE UNIT, enhanced where there is such.

Source: ATA Command Set 4 (ACS-4), Security feature set; hdparm(8).
"""

import re
from typing import NamedTuple

from bessemer_agent.child import Run
from bessemer_agent.error import ChildFailed, EraseFailed
from bessemer_agent.journal import say

#: The drive demands a password to be erased, and forgets it with the data.
_PASSWORD = "NULL"  # noqa: S105 - a convention, not a secret
_USER = ["hdparm", "--user-master", "u"]
_MINUTES = re.compile(r"(\d+)min for (ENHANCED )?SECURITY ERASE UNIT")
_SHORTEST_S = 3600.0
#: How a drive that may be an ATA one is attached, as the inventory says.
TRANSPORTS = ("sata", "scsi", None)


class Security(NamedTuple):
    """The drive's security state."""

    is_supported: bool
    is_enabled: bool
    is_locked: bool
    is_frozen: bool
    has_enhanced: bool
    #: The drive's own estimate, seconds; 0 when it gives none.
    estimate_s: float


def parse_security(text: str) -> Security | None:
    """The Security section of ``hdparm -I``; None when there is none."""
    _, found, section = text.partition("\nSecurity:")
    if not found:
        return None
    # Flags are "supported" or "not supported", one to a line, the section ending at the first unindented
    # line.
    lines = []
    for line in section.splitlines()[1:]:
        if line and not line[0].isspace():
            break
        lines.append(" ".join(line.split()))
    minutes = [int(number) for line in lines for number, _ in _MINUTES.findall(line)]
    return Security(
        is_supported="supported" in lines,
        is_enabled="enabled" in lines,
        is_locked="locked" in lines,
        is_frozen="frozen" in lines,
        has_enhanced="supported: enhanced erase" in lines,
        estimate_s=max(minutes, default=0) * 60.0,
    )


def unlock_ata(name: str, run: Run) -> None:
    """Unlock a drive that an interrupted erasure left locked: till then it answers no read, no write. Another
    one is left as it is; so is one with somebody else's password, which is told. Idempotent.
    """
    security = _read_security(name, run)
    if security is None or not security.is_locked:
        return
    try:
        run([*_USER, "--security-unlock", _PASSWORD, name], timeout_s=60)
        run([*_USER, "--security-disable", _PASSWORD, name], timeout_s=60)
    except ChildFailed as error:
        say("drive is locked, and stays so", disk=name, why=error)
    else:
        say("drive unlocked", disk=name)


def erase_ata(name: str, run: Run) -> str | None:
    """Have an ATA drive erase itself; what was done, or None when it cannot, or the firmware froze it.

    Raises:
        EraseFailed: It can, tried, and failed; the password is taken off again as well as possible.
    """
    security = _read_security(name, run)
    if security is None or not security.is_supported or security.is_frozen:
        return None
    try:
        run([*_USER, "--security-set-pass", _PASSWORD, name], timeout_s=60)
        kind = "--security-erase-enhanced" if security.has_enhanced else "--security-erase"
        run([*_USER, kind, _PASSWORD, name], timeout_s=max(_SHORTEST_S, 3 * security.estimate_s))
    except ChildFailed as error:
        run([*_USER, "--security-disable", _PASSWORD, name], timeout_s=60, check=False)
        raise EraseFailed(f"{name}: {error.details}") from error
    return f"ATA {'enhanced ' if security.has_enhanced else ''}secure erase"


def _read_security(name: str, run: Run) -> Security | None:
    try:
        return parse_security(run(["hdparm", "-I", name], timeout_s=60).stdout)
    except ChildFailed:
        return None
