"""A database host that vanishes says nothing any more: who listens to it goes on all the same."""

import asyncio

import pytest
from sqlalchemy import make_url
from structlog.testing import capture_logs

from bessemer.store import notify
from bessemer.store.connect import connect
from bessemer.store.notify import PostgresqlNotifier, postgresql_notifier
from fakes.tcp_proxy import TcpProxy, tcp_proxy
from fixture_database import PostgresqlServer


def through(proxy: TcpProxy, server: PostgresqlServer) -> PostgresqlNotifier:
    url = make_url(server.url("postgres")).set(port=proxy.port)
    return postgresql_notifier(connect(url.render_as_string(hide_password=False), pool_size=1))


async def test_a_listening_connection_to_a_host_that_is_gone_is_given_up(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "_CHECK_S", 0.05)
    monkeypatch.setattr(notify, "_ANSWER_S", 0.5)
    async with tcp_proxy(postgresql.port) as proxy:
        notifier = through(proxy, postgresql)
        with capture_logs() as logs:
            async with notifier.listen("news", lambda _: None), asyncio.timeout(60):
                proxy.hang()
                while not any(line["event"].endswith("notifications failed") for line in logs):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        proxy.mend()
        async with asyncio.timeout(30):
            await notifier.close()


async def test_the_end_does_not_wait_for_a_host_that_is_gone(postgresql: PostgresqlServer) -> None:
    async with tcp_proxy(postgresql.port) as proxy:
        notifier = through(proxy, postgresql)
        async with notifier.listen("news", lambda _: None):
            proxy.hang()
        async with asyncio.timeout(30):
            await notifier.close()
