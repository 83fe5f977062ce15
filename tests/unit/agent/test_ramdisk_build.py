"""The ramdisk's builder, as far as it goes without a network; the lab test builds a whole one."""

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

_IMAGE = Path(__file__).parents[3] / "agent/image"
sys.path.insert(0, str(_IMAGE))

from bessemer_ramdisk import build  # noqa: E402
from bessemer_ramdisk.agent import collect_agent  # noqa: E402
from bessemer_ramdisk.archive import write_archive  # noqa: E402
from bessemer_ramdisk.debian import DebianTree  # noqa: E402
from bessemer_ramdisk.elf import read_needed  # noqa: E402
from bessemer_ramdisk.entry import Entries, folder_entry, link_entry, node_entry, text_entry  # noqa: E402
from bessemer_ramdisk.error import BuildError  # noqa: E402
from bessemer_ramdisk.modules import close, read_dependencies  # noqa: E402

needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
ENTRIES: Entries = {
    "init": text_entry("#!/bin/sh\n", 0o755),
    "usr/bin/tool": text_entry("x" * 5),
    "bin": link_entry("usr/bin"),
    "tmp": folder_entry(0o1777),
    "dev/console": node_entry(5, 1),
}


def read_archive(path: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content by name, read by the format's definition."""
    data = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout
    found, position = {}, 0
    while True:
        assert data[position : position + 6] == b"070701"
        fields = [int(data[position + 6 + 8 * n : position + 14 + 8 * n], 16) for n in range(13)]
        assert fields[5] in (1_000_000, 0)
        assert fields[2:4] == [0, 0]
        start = position + 110
        name = data[start : start + fields[11] - 1].decode()
        start += fields[11] + -(110 + fields[11]) % 4
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], data[start : start + fields[6]])
        position = start + fields[6] + -fields[6] % 4


@needs_zstd
def test_an_archive_holds_every_entry_behind_its_folders(tmp_path: Path) -> None:
    write_archive(ENTRIES, tmp_path / "a", epoch=1_000_000)
    found = read_archive(tmp_path / "a")
    assert list(found) == sorted(found)
    assert found["init"] == (stat.S_IFREG | 0o755, b"#!/bin/sh\n")
    assert found["bin"] == (stat.S_IFLNK | 0o777, b"usr/bin")
    assert found["usr/bin"] == (stat.S_IFDIR | 0o755, b"")
    assert found["tmp"][0] == stat.S_IFDIR | 0o1777
    assert found["dev/console"][0] == stat.S_IFCHR | 0o600


@needs_zstd
@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_cpio_reads_the_archive(tmp_path: Path) -> None:
    write_archive(ENTRIES, tmp_path / "a", epoch=1_000_000)
    data = subprocess.run(["zstd", "-dc", str(tmp_path / "a")], capture_output=True, check=True).stdout
    listing = subprocess.run(["cpio", "-tv", "--quiet"], input=data, capture_output=True, check=True).stdout
    lines = listing.decode().splitlines()
    assert len(lines) == len(ENTRIES) + 3  # usr, usr/bin, dev
    assert any("usr/bin/tool" in line and line.startswith("-rw-r--r--") for line in lines)


@needs_zstd
def test_equal_entries_give_equal_bytes_in_whatever_order(tmp_path: Path) -> None:
    write_archive(ENTRIES, tmp_path / "a", epoch=1)
    write_archive(dict(reversed(ENTRIES.items())), tmp_path / "b", epoch=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_agents_byte_code_is_the_same_each_time_and_has_no_sources(tmp_path: Path) -> None:
    first, second = collect_agent(tmp_path / "a"), collect_agent(tmp_path / "b")
    assert {path: entry.read() for path, entry in first.items()} == {
        path: entry.read() for path, entry in second.items()
    }
    assert "usr/lib/python3.11/bessemer_agent/main.pyc" in first
    assert not any(path.endswith(".py") for path in first)
    assert first["init"].mode & 0o111
    assert str(tmp_path).encode() not in first["usr/lib/python3.11/bessemer_agent/main.pyc"].read()


def test_needed_libraries_are_those_the_dynamic_section_names() -> None:
    needed = read_needed(Path(sys.executable).resolve())
    shared = Path("/proc/self/maps").read_text()
    assert any(name.startswith("libc.so") for name in needed)
    assert all(name.partition(".so")[0] in shared or name.startswith("ld-") for name in needed)


def test_what_is_no_elf_file_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert read_needed(tmp_path / "script") == []
    (tmp_path / "static").write_bytes(b"\x7fELF\x02\x01".ljust(64, b"\0"))
    assert read_needed(tmp_path / "static") == []


def test_modules_come_with_all_they_depend_on() -> None:
    dependencies = read_dependencies("a.ko: b.ko c.ko\nb.ko: d.ko\nc.ko:\nd.ko: b.ko\ne.ko:\n")
    assert close(["a.ko"], dependencies) == {"a.ko", "b.ko", "c.ko", "d.ko"}


def test_a_tree_is_searched_as_if_usr_were_merged(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "bin/a").write_text("")
    (tmp_path / "usr/bin/b").write_text("")
    (tmp_path / "bin/c").symlink_to("/nowhere")
    archives = tmp_path / "var/cache/apt/archives"
    archives.mkdir(parents=True)
    (archives / "zlib1g_1%3a1.2.13_amd64.deb").write_text("")
    tree = DebianTree(tmp_path)
    assert set(tree.glob("usr/bin/*")) == {"usr/bin/a", "usr/bin/b", "usr/bin/c"}
    assert set(tree.glob("usr/bin/c")) == {"usr/bin/c"}
    assert tree.glob("usr/bin/d") == {}
    assert tree.list_packages() == {"zlib1g": "1:1.2.13"}


@needs_zstd
def test_a_build_is_repeated_only_when_its_inputs_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases = []

    def fake_base(kernel: str, key: str, cache: Path, epoch: int) -> Path:
        bases.append(key)
        folder = cache / "base"
        folder.mkdir(parents=True, exist_ok=True)
        write_archive({"etc/debian": text_entry("x")}, folder / "base.cpio.zst", epoch)
        (folder / "vmlinuz").write_bytes(b"kernel")
        (folder / "base.json").write_text(json.dumps({"kernel": kernel, "packages": {"a": "1"}}))
        return folder

    monkeypatch.setattr(build, "ensure_base", fake_base)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "5")
    output, cache = tmp_path / "out", tmp_path / "cache"
    built = build.build_ramdisk("cloud", output, cache)
    first = built.initrd.read_bytes()
    manifest = json.loads(built.manifest.read_text())
    assert manifest["packages"] == {"a": "1"}
    assert manifest["files"]["initrd"]["size"] == len(first)
    assert manifest["agent_version"].startswith("11.")
    build.build_ramdisk("cloud", output, cache)
    assert len(bases) == 1  # up to date
    built.initrd.write_bytes(b"damaged")
    build.build_ramdisk("cloud", output, cache)
    assert built.initrd.read_bytes() == first
    build.build_ramdisk("generic", output, cache)
    assert len(set(bases)) == 2
    assert sorted(path.name for path in output.iterdir()) == ["initrd", "manifest.json", "vmlinuz"]


def test_an_unknown_kernel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cloud, generic"):
        build.build_ramdisk("windows", tmp_path)


def test_the_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    child = subprocess.run(
        [
            sys.executable,
            str(_IMAGE / "build.py"),
            "--output",
            str(tmp_path / "out"),
            "--cache",
            str(tmp_path),
        ],
        env={"PATH": "/nonexistent", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 1
    assert "is not installed" in child.stderr


def test_the_start_up_scripts_are_valid_shell() -> None:
    shell = shutil.which("busybox") or shutil.which("sh")
    assert shell is not None
    for name in ("init", "udhcpc"):
        script = _IMAGE / f"bessemer_ramdisk/files/{name}"
        applet = ["sh"] if shell.endswith("busybox") else []
        assert subprocess.run([shell, *applet, "-n", str(script)], check=False).returncode == 0
