"""While the way to Keystone is broken, those who were known go on, and others are told to come back."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bessemer.api.authentication.keystone.server import KeystoneServer
from bessemer.api.authentication.keystone.validator import KeystoneAuthentication
from bessemer.api.authentication.proof import Denial, Proof
from bessemer.config.load import load_settings
from fakes.tcp_proxy import TcpProxy, tcp_proxy

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("break_off", [TcpProxy.cut, TcpProxy.hang], ids=["cut", "silent"])
async def test_the_known_go_on_and_the_unknown_wait(
    cloud, tmp_path: Path, break_off: Callable[[TcpProxy], None]
) -> None:
    time = [0.0]
    async with tcp_proxy(urlsplit(cloud.keystone.url).port or 0) as proxy:
        options = {
            **cloud.options,
            "auth_url": f"http://127.0.0.1:{proxy.port}",
            "token_cache_time": "60",
            "http_connect_timeout": "5",
        }
        path = tmp_path / "bessemer.conf"
        path.write_text("[keystone_authtoken]\n" + "".join(f"{n} = {text}\n" for n, text in options.items()))
        settings = load_settings(path)[0].keystone_authtoken
        server = KeystoneServer(settings, monotonic=lambda: time[0])
        validator = KeystoneAuthentication(settings, server, monotonic=lambda: time[0])

        async def ask(token: str) -> int:
            try:
                await validator.identify(Proof("GET", "/v1/nodes", token=cloud.tokens[token]))
            except Denial as denial:
                return denial.status
            return 200

        try:
            assert await ask("a project's member") == 200
            break_off(proxy)
            time[0] = 61.0
            assert await ask("a project's member") == 200
            assert await ask("a project's reader") == 503
            assert await ask("garbage") == 503
            proxy.mend()
            time[0] = 120.0
            assert await ask("a project's reader") == 200
            assert await ask("garbage") == 401
        finally:
            await validator.close()
