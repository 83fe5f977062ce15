"""User accounts of the ramdisk. Source: passwd(5), shadow(5)."""

from pathlib import Path

from bessemer_agent.secret import Secret


def set_account(root: Path, name: str, password_hash: Secret) -> None:
    """Let ``name`` log in with all rights of root and this password; nobody else can. Idempotent."""
    etc = root / "etc"
    _put(etc / "passwd", name, f"{name}:x:0:0:{name}:/root:/bin/sh", 0o644)
    _put(etc / "shadow", name, f"{name}:{password_hash.reveal()}:19000:0:99999:7:::", 0o600)


def _put(path: Path, name: str, line: str, mode: int) -> None:
    """Put ``line`` in place of that of ``name``; a reader sees the file before or after, nothing between."""
    known = path.read_text().splitlines() if path.exists() else []
    lines = [*(other for other in known if other.partition(":")[0] != name), line]
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=mode)
    new.write_text("".join(f"{each}\n" for each in lines))
    new.replace(path)
