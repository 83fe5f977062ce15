"""The part of the ramdisk that is ours: the agent, and what starts it."""

import hashlib
import shutil
from pathlib import Path

from bessemer_ramdisk.bytecode import compile_tree
from bessemer_ramdisk.entry import Entries, file_entry
from bessemer_ramdisk.recipe import PYTHON

_HERE = Path(__file__).parent
#: Start-up files by their place in the ramdisk.
_FILES = {
    "init": _HERE / "files/init",
    "usr/lib/bessemer/udhcpc": _HERE / "files/udhcpc",
    "usr/lib/bessemer/rescue": _HERE / "files/rescue",
}
#: The agent's sources in this repository.
AGENT_SOURCES = _HERE.parent.parent / "src/bessemer_agent"


def collect_agent(stage: Path) -> Entries:
    """The agent's byte code and the start-up files; ``stage`` is an empty folder to work in.

    Raises:
        BuildError: A source file does not compile.
    """
    folder = stage / "bessemer_agent"
    for source in list_sources():
        target = folder / source.relative_to(AGENT_SOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    place = f"{PYTHON}/bessemer_agent"
    compile_tree(folder, f"/{place}")
    entries = {
        f"{place}/{path.relative_to(folder)}": file_entry(path) for path in sorted(folder.rglob("*.pyc"))
    }
    for path, source in _FILES.items():
        entry = file_entry(source)
        entries[path] = entry._replace(mode=entry.mode | 0o111)
    return entries


def list_sources() -> list[Path]:
    """The agent's Python files."""
    return sorted(AGENT_SOURCES.rglob("*.py"))


def hash_sources() -> str:
    """A digest of everything that goes into this part."""
    digest = hashlib.sha256()
    for path in [*list_sources(), *_FILES.values()]:
        digest.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()
