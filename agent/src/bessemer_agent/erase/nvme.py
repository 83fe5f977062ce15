"""NVMe: sanitize, else format with secure erase.

Sanitize erases everything the controller ever stored, spare blocks included, but takes all namespaces with
it, so it is used only where there is one. Cryptographic erasure comes before erasing blocks: it takes
seconds.

Source: NVM Express Base Specification 2.0, Identify Controller (OACS, FNA, NN, SANICAP), Sanitize Status
log page.
"""

import json
import re
import time
from collections.abc import Callable

from bessemer_agent.child import Run
from bessemer_agent.error import ChildFailed, EraseFailed

_SANITIZE_CRYPTO, _SANITIZE_BLOCK = 1 << 0, 1 << 1  # SANICAP
_ACTION_CRYPTO, _ACTION_BLOCK = 4, 2  # SANACT
_FORMAT_SUPPORTED = 1 << 1  # OACS
_FORMAT_CRYPTO = 1 << 2  # FNA
_LOG_SANITIZE, _LOG_BYTES = 0x81, 20
_IN_PROGRESS, _FAILED = 2, 3
_POLL_S = 2.0
#: Block erase of a large drive takes minutes, overwriting firmware hours.
_LONGEST_S = 6 * 3600.0


def erase_nvme(name: str, run: Run, pause: Callable[[float], None] = time.sleep) -> str | None:
    """Have an NVMe namespace erase itself; what was done, or None when it can do neither.

    Raises:
        EraseFailed: It can, tried, and failed.
    """
    try:
        identity = json.loads(run(["nvme", "id-ctrl", name, "--output-format=json"], timeout_s=60).stdout)
    except (ChildFailed, ValueError):
        return None
    sanitize, form = int(identity.get("sanicap", 0)), int(identity.get("oacs", 0))
    try:
        if sanitize & (_SANITIZE_CRYPTO | _SANITIZE_BLOCK) and int(identity.get("nn", 0)) == 1:
            action = _ACTION_CRYPTO if sanitize & _SANITIZE_CRYPTO else _ACTION_BLOCK
            _sanitize(name, action, run, pause)
            return f"NVMe sanitize, {'cryptographic' if action == _ACTION_CRYPTO else 'block'} erase"
        if form & _FORMAT_SUPPORTED:
            is_crypto = bool(int(identity.get("fna", 0)) & _FORMAT_CRYPTO)
            argv = ["nvme", "format", name, f"--ses={2 if is_crypto else 1}", "--force"]
            run(argv, timeout_s=_LONGEST_S)
            return f"NVMe format, {'cryptographic' if is_crypto else 'user data'} erase"
    except ChildFailed as error:
        raise EraseFailed(f"{name}: {error.details}") from error
    return None


def _sanitize(name: str, action: int, run: Run, pause: Callable[[float], None]) -> None:
    # The command goes to the controller (nvme0), not to the namespace (nvme0n1).
    controller = re.sub(r"n\d+$", "", name)
    run(["nvme", "sanitize", controller, f"--sanact={action}"], timeout_s=60)
    deadline = time.monotonic() + _LONGEST_S
    while True:
        argv = [
            "nvme",
            "get-log",
            controller,
            f"--log-id={_LOG_SANITIZE}",
            f"--log-len={_LOG_BYTES}",
            "--raw-binary",
        ]
        log = run(argv, timeout_s=60, encoding="latin-1").stdout.encode("latin-1")
        status = log[2] & 7 if len(log) >= 4 else _FAILED
        if status == _FAILED:
            raise EraseFailed(f"{name}: the drive reports that sanitize failed")
        if status != _IN_PROGRESS:
            return
        if time.monotonic() > deadline:
            raise EraseFailed(f"{name}: sanitize did not end within {_LONGEST_S / 3600:.0f} h")
        pause(_POLL_S)
