"""How fast the agent writes an image, beside ``dd`` writing the same decompressed bytes to the same place.

    python bench/agent_write.py [--target PATH] [--size-mib N] [--runs N]

The target is a block device (its content is lost) or a file (default: a temporary one). The image is served
by an HTTP server in a process of its own; download, checksum, decompression and write are all in the
agent's
time, and both sides end with the data flushed to the medium. The image looks like an operating system's:
two thirds are files of this machine's /usr, one third zeros. The checksum alone is measured too: no agent
can be faster than that.
"""

import argparse
import contextlib
import hashlib
import http.client
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bessemer_agent.disk import open_disk
from bessemer_agent.http_client import HttpClient
from bessemer_agent.image.write import write_image
from bessemer_agent.progress import Progress

MIB = 1024**2
#: The share of dd's throughput the agent is to reach.
GOAL = 0.85


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", type=Path, help="block device or file to write to; its content is lost")
    parser.add_argument("--size-mib", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3, help="the best of so many counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agent-write-") as name:
        folder = Path(name)
        images = make_images(folder, given.size_mib)
        target = given.target or folder / "target"
        if not target.exists():
            target.write_bytes(b"")
            os.truncate(target, (given.size_mib + 64) * MIB)
        with serving(folder) as base_url:
            results = dict.fromkeys(images, 0.0)
            dd = digest = 0.0
            for _ in range(given.runs):  # in turn, so that a noisy neighbour disturbs all alike
                dd = max(dd, given.size_mib / run_dd(images["raw"], target))
                digest = max(digest, given.size_mib / run_digest(images["raw"]))
                for label, image in images.items():
                    seconds = run_agent(f"{base_url}/{image.name}", image, target)
                    results[label] = max(results[label], given.size_mib / seconds)
    say(f"{'dd bs=1M conv=fsync':>24}  {dd:7.0f} MiB/s")
    say(f"{'sha256 alone':>24}  {digest:7.0f} MiB/s")
    for label, speed in results.items():
        say(f"{'agent, ' + label:>24}  {speed:7.0f} MiB/s  {speed / dd:5.0%} of dd (goal {GOAL:.0%})")
    return 0


def make_images(folder: Path, size_mib: int) -> dict[str, Path]:
    """The same disk as raw, gzip, zstd and qcow2 file."""
    raw = folder / "image.raw"
    files = sorted(path for path in Path("/usr/lib").rglob("*") if path.is_file() and not path.is_symlink())
    with raw.open("wb") as stream:
        for path in files:
            stream.write(path.read_bytes())
            if stream.tell() >= size_mib * MIB * 2 // 3:
                break
        stream.truncate(size_mib * MIB)
    images = {"raw": raw}
    if shutil.which("gzip"):
        subprocess.run(["gzip", "-1", "--keep", str(raw)], check=True)
        images["gzip"] = folder / "image.raw.gz"
    if shutil.which("zstd"):
        subprocess.run(["zstd", "-q", str(raw)], check=True)
        images["zstd"] = folder / "image.raw.zst"
    if shutil.which("qemu-img"):
        qcow2 = folder / "image.qcow2"
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(qcow2)], check=True)
        images["qcow2"] = qcow2
    return images


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """An HTTP server for the folder, in another process; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(port)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def run_dd(image: Path, target: Path) -> float:
    """Seconds dd takes."""
    started = time.monotonic()
    argv = ["dd", f"if={image}", f"of={target}", "bs=1M", "conv=fsync,notrunc", "status=none"]
    subprocess.run(argv, check=True)
    return time.monotonic() - started


def run_digest(image: Path) -> float:
    """Seconds the checksum of the raw image takes."""
    started = time.monotonic()
    with image.open("rb") as stream:
        hashlib.file_digest(stream, "sha256")
    return time.monotonic() - started


def run_agent(url: str, image: Path, target: Path) -> float:
    """Seconds the agent takes."""
    with image.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    info = {"id": "bench", "urls": [url], "os_hash_algo": "sha256", "os_hash_value": digest}
    started = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()), open_disk(str(target)) as disk:
        write_image(info, disk, client=HttpClient(60.0), progress=Progress())
    return time.monotonic() - started


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
