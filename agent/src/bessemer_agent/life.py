"""What must survive a restart of this program within one boot of the ramdisk.

The service hands the token out once. If the agent dies and init starts it again, only this file knows it.
"""

import json
from pathlib import Path
from typing import NamedTuple

from bessemer_agent.secret import Secret

#: On the ramdisk's tmpfs: gone with the next boot.
FOLDER = "run/bessemer-agent"


class Life(NamedTuple):
    """The node this machine was found to be, and the token received for it."""

    node_uuid: str | None = None
    token: Secret | None = None
    #: Whether the service has taken an inspection report in this boot.
    has_reported: bool = False


def load_life(folder: Path) -> Life:
    """What an earlier run of this boot saved in ``folder``; empty at the first run."""
    try:
        saved = json.loads((folder / "life.json").read_text())
        token = saved.get("token")
        return Life(saved.get("node_uuid"), Secret(token) if token else None, bool(saved.get("has_reported")))
    except (OSError, ValueError, AttributeError):
        return Life()


def save_life(life: Life, folder: Path) -> None:
    """Save in ``folder`` for a later run, readable by root only. Idempotent."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / "life.json.new"
    path.touch(mode=0o600)
    saved = {
        "node_uuid": life.node_uuid,
        "token": life.token.reveal() if life.token else None,
        "has_reported": life.has_reported,
    }
    path.write_text(json.dumps(saved))
    path.replace(folder / "life.json")
