"""The real Keystone as a process, and what a test asks of it as its administrator."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from cryptography.fernet import Fernet, MultiFernet

from fakes.keystone_install import ADMIN_PASSWORD, Installation, environment, install, write_settings
from fakes.port import free_port

START_S = 60.0
DEFAULT_DOMAIN = {"id": "default"}
SYSTEM = {"system": {"all": True}}


def by_password(user: str, password: str) -> dict[str, Any]:
    account = {"name": user, "password": password, "domain": DEFAULT_DOMAIN}
    return {"methods": ["password"], "password": {"user": account}}


def by_application_credential(credential: dict[str, Any]) -> dict[str, Any]:
    given = {"id": credential["id"], "secret": credential["secret"]}
    return {"methods": ["application_credential"], "application_credential": given}


def of_project(name: str) -> dict[str, Any]:
    return {"project": {"name": name, "domain": DEFAULT_DOMAIN}}


class RealKeystone:
    """``data`` is where its keys are."""

    def __init__(self, url: str, data: Path, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._data = data
        self._session = session
        self._admin = ""
        self._roles: dict[str, str] = {}

    async def log_in_as_admin(self) -> None:
        self._admin = await self.issue(by_password("admin", ADMIN_PASSWORD), of_project("admin"))
        for role in (await self.call("GET", "/roles"))["roles"]:
            self._roles[role["name"]] = role["id"]

    async def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """The document of Keystone's answer; as the administrator, unless ``token`` is another's."""
        headers = {"X-Auth-Token": token or self._admin}
        async with self._session.request(method, f"{self.url}{path}", json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return await answer.json() if text else None

    async def issue(self, identity: dict[str, Any], scope: dict[str, Any] | str | None = None) -> str:
        """A token. ``scope``: a project, the system, a domain, 'unscoped', or None for the default."""
        auth: dict[str, Any] = {"identity": identity}
        if scope is not None:
            auth["scope"] = scope
        async with self._session.post(f"{self.url}/auth/tokens", json={"auth": auth}) as answer:
            assert answer.status == 201, await answer.text()
            return answer.headers["X-Subject-Token"]

    def aged(self, token: str) -> str:
        """The token as if it had been issued long ago and had expired a minute ago.

        Its payload is a list with one fraction in it, the moment it expires, under one of Keystone's keys.
        """
        keys = sorted((self._data / "fernet").iterdir(), key=lambda path: int(path.name), reverse=True)
        fernet = MultiFernet([Fernet(path.read_bytes()) for path in keys])
        payload = msgspec.msgpack.decode(fernet.decrypt(token + "=" * (-len(token) % 4)))
        now = time.time()
        old = [now - 60 if isinstance(part, float) else part for part in payload]
        primary = Fernet(keys[0].read_bytes())
        return primary.encrypt_at_time(msgspec.msgpack.encode(old), int(now - 3660)).decode().rstrip("=")

    async def revoke(self, token: str) -> None:
        headers = {"X-Auth-Token": self._admin, "X-Subject-Token": token}
        async with self._session.delete(f"{self.url}/auth/tokens", headers=headers) as answer:
            assert answer.status == 204, await answer.text()

    async def create_project(self, name: str) -> str:
        body = {"project": {"name": name, "domain_id": "default"}}
        return str((await self.call("POST", "/projects", body))["project"]["id"])

    async def create_user(self, name: str, password: str) -> str:
        body = {"user": {"name": name, "password": password, "domain_id": "default"}}
        return str((await self.call("POST", "/users", body))["user"]["id"])

    async def grant(self, user_id: str, role: str, *, on: str) -> None:
        """``on``: 'system', 'domains/ID' or 'projects/ID'."""
        await self.call("PUT", f"/{on}/users/{user_id}/roles/{self._roles[role]}")

    async def create_application_credential(
        self, user_id: str, token: str, name: str, rules: list[dict[str, str]] | None = None
    ) -> dict[str, Any]:
        given: dict[str, Any] = {"name": name}
        if rules is not None:
            given["access_rules"] = rules
        path = f"/users/{user_id}/application_credentials"
        made = await self.call("POST", path, {"application_credential": given}, token=token)
        credential: dict[str, Any] = made["application_credential"]
        return credential

    async def put_into_catalogue(self, kind: str, url: str) -> None:
        """A service of type ``kind``, reached at ``url`` by everybody."""
        service = await self.call("POST", "/services", {"service": {"type": kind, "name": kind}})
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service["service"]["id"], "interface": interface, "url": url}
            await self.call("POST", "/endpoints", {"endpoint": endpoint})


@asynccontextmanager
async def real_keystone(directory: Path) -> AsyncIterator[RealKeystone]:
    """Keystone with an empty domain, on a private port, while the block runs."""
    installed = await asyncio.to_thread(install)
    data = directory / "data"
    await asyncio.to_thread(installed.copy_data, data)
    async with (
        _process(installed, directory, data) as url,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
    ):
        await _answers(session, url, directory)
        keystone = RealKeystone(f"{url}/v3", data, session)
        await keystone.log_in_as_admin()
        yield keystone


@asynccontextmanager
async def _process(installed: Installation, directory: Path, data: Path) -> AsyncIterator[str]:
    settings = write_settings(directory / "keystone.conf", data)
    port = free_port()
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(installed.programs / "uwsgi"),
            *("--http-socket", f"127.0.0.1:{port}", "--module", "keystone.wsgi.api:application"),
            *("--die-on-term", "--enable-threads", "--need-app", "--threads", "4"),
            *("--buffer-size", "65535", "--http-chunked-input", "--disable-logging"),
            *("--add-header", "Connection: close"),
            env=environment(OS_KEYSTONE_CONFIG_FILES=str(settings)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _answers(session: aiohttp.ClientSession, url: str, directory: Path) -> None:
    try:
        async with asyncio.timeout(START_S):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{url}/v3"):
                        return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"Keystone did not start; see {directory}/log") from None
