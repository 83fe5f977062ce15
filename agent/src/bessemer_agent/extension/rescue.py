"""Commands of the ``rescue`` extension: the ramdisk becomes its user's."""

import re
import tempfile
from pathlib import Path

from bessemer_agent.account import set_account
from bessemer_agent.child import Run
from bessemer_agent.context import Context
from bessemer_agent.error import InvalidRequest
from bessemer_agent.journal import say
from bessemer_agent.life import FOLDER
from bessemer_agent.progress import Progress
from bessemer_agent.secret import Secret

USER = "rescue"
#: Tells init that the agent is not to be started again.
MARK = f"{FOLDER}/rescued"
#: Gives the user logins, and the machine an address on the network it is moved to.
_PROGRAM = "usr/lib/bessemer/rescue"
#: crypt(5): SHA-256 and SHA-512.
_HASH = re.compile(r"\$[56]\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}")
_MOST_CHARACTERS = 255


def check_finalize_rescue(rescue_password: object, hashed: object = False) -> None:
    """Refuse what can be no password.

    Raises:
        InvalidRequest: It is no text, empty, too long, or said to be a hash and is none that is known here.
    """
    if not isinstance(hashed, bool):
        raise InvalidRequest("hashed must be true or false")
    if not isinstance(rescue_password, str) or not 0 < len(rescue_password) <= _MOST_CHARACTERS:
        raise InvalidRequest(f"rescue_password must be text of 1 to {_MOST_CHARACTERS} characters")
    if hashed and not _HASH.fullmatch(rescue_password):
        raise InvalidRequest("rescue_password is no hash of SHA-256 or SHA-512 in the form of crypt(5)")
    if not hashed and not rescue_password.isprintable():
        raise InvalidRequest("rescue_password has characters that nobody can type")


def finalize_rescue(
    context: Context, progress: Progress, *, rescue_password: str, hashed: bool = False
) -> None:
    """Let the user ``rescue`` log in on the consoles and by SSH, and end the agent shortly. Idempotent.

    Raises:
        ChildFailed: The password could not be hashed, or logins could not be offered.
    """
    del progress
    machine = context.machine
    root = Path(machine.root)
    is_new = not (root / MARK).exists()
    set_account(
        root, USER, Secret(rescue_password) if hashed else hash_password(rescue_password, machine.run)
    )
    if is_new:
        machine.run(["busybox", "setsid", "busybox", "sh", f"/{_PROGRAM}"], timeout_s=30)
        (root / MARK).parent.mkdir(parents=True, exist_ok=True)
        (root / MARK).touch()
    machine.power.leave()
    say("rescue: the user may log in", user=USER)


def hash_password(password: str, run: Run) -> Secret:
    """The password's SHA-512 hash. It reaches the program by a file: everybody sees arguments."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(password + "\n")
        file.flush()
        return Secret(run(["openssl", "passwd", "-6", "-in", file.name], timeout_s=30).stdout.strip())
