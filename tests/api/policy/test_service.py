"""The service as operators run it: it starts on a policy it understands, and keeps to it when it breaks."""

import asyncio
import base64
import subprocess
import sys
from pathlib import Path

import aiohttp
import bcrypt

from fakes.service_process import service

WATCHER = {"Authorization": "Basic " + base64.b64encode(b"watcher:opensesame").decode()}
VERSION = {"X-OpenStack-Ironic-API-Version": "1.115"}


def test_a_service_does_not_start_on_a_policy_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text('"baremetal:node:get": "role:"and')
    settings = tmp_path / "bessemer.conf"
    settings.write_text(f"[DEFAULT]\nstate_path = {tmp_path / 'state'}\n")
    command = [str(Path(sys.executable).with_name("bessemer")), "serve", "--config-file", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert str(tmp_path / "policy.yaml") in done.stderr
    assert "is not YAML" in done.stderr


async def test_a_running_service_takes_a_changed_policy_over_and_refuses_a_tampered_one(
    tmp_path: Path,
) -> None:
    accounts, policy = tmp_path / "accounts", tmp_path / "policy.yaml"
    digest = bcrypt.hashpw(b"opensesame", bcrypt.gensalt(4)).decode()
    accounts.write_text(f"watcher:{digest}:reader\n")
    policy.write_text("")
    more = f"[DEFAULT]\nauth_strategy = http_basic\nhttp_basic_auth_user_file = {accounts}\n"
    async with (
        service(tmp_path, more=more, headers=WATCHER) as endpoint,
        aiohttp.ClientSession(headers={**WATCHER, **VERSION}) as session,
    ):
        url = f"{endpoint}/v1/shards"
        assert await status(session, url) == 200
        replace_file(policy, '"baremetal:shards:get": "!"')
        async with asyncio.timeout(60):
            while await status(session, url) != 403:  # noqa: ASYNC110  nobody announces it
                await asyncio.sleep(0.05)
        replace_file(policy, '"baremetal:shards:get": ["')
        async with asyncio.timeout(60):
            while "the old rules stay in force" not in (tmp_path / "log").read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await status(session, url) == 403


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url, timeout=aiohttp.ClientTimeout(60)) as answer:
        return answer.status


def replace_file(path: Path, text: str) -> None:
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    fresh.replace(path)
