"""Commands to an agent over real TLS: given once, verified, and with errors that say what is wrong."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from bessemer.config.settings import AgentSettings
from bessemer.hardware.agent.client import (
    AgentBusy,
    AgentClient,
    AgentRefused,
    AgentUnreachable,
    CommandLost,
    CommandUnknown,
)
from bessemer.kernel.backoff import Backoff
from bessemer.kernel.error import DeadlineExceeded, DeviceError, InvalidValue
from bessemer.transfer.bounded import MOST_BYTES, BoundedResponse
from fakes.agent import TOKEN, FakeAgent, fake_agent
from fakes.answer import gzipped_zeros, too_deep
from fakes.certificate import make_certificate

AT_ONCE = Backoff(first_s=0.0, most_s=0.0)


@pytest_asyncio.fixture
async def agent(tmp_path) -> AsyncIterator[FakeAgent]:
    async with fake_agent(tmp_path) as agent:
        yield agent


@asynccontextmanager
async def a_client(**settings) -> AsyncIterator[AgentClient]:
    async with aiohttp.ClientSession(response_class=BoundedResponse) as session:
        yield AgentClient(session, AgentSettings(**settings), backoff=AT_ONCE)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[AgentClient]:
    async with a_client() as client:
        yield client


# ---------------------------------------------------------------------- commands


async def test_a_command_reaches_the_agent_with_its_parameters_and_the_token(agent, client) -> None:
    agent.known["deploy.execute_deploy_step"] = {"deploy_result": 7}
    result = await client.execute(
        agent.node(), "deploy.execute_deploy_step", {"step": {"step": "x"}}, wait=True
    )
    assert (result.name, result.status, result.result) == (
        "execute_deploy_step",
        "SUCCEEDED",
        {"deploy_result": 7},
    )
    assert agent.commands[0]["params"] == {"step": {"step": "x"}}
    assert agent.requests[-1] == ("POST", "/v1/commands/", {"agent_token": TOKEN, "wait": "true"})


async def test_a_long_command_is_followed_with_its_progress(agent, client) -> None:
    node = agent.node()
    started = await client.execute(node, "deploy.long", {})
    assert started.is_running
    assert started.progress is None
    agent.commands[0]["command_progress"] = {"percent": 40.5, "phase": "writing"}
    looked = await client.get_command(node, started.id)
    assert looked.progress == {"percent": 40.5, "phase": "writing"}
    agent.finish(command_result={"result": "done"})
    assert (await client.get_command(node, started.id)).result == {"result": "done"}
    assert [result.id for result in await client.list_commands(node)] == [started.id]


async def test_a_failed_command_tells_its_error(agent, client) -> None:
    started = await client.execute(agent.node(), "deploy.long", {})
    agent.finish(command_status="FAILED", command_error={"type": "E", "message": "disk on fire"})
    result = await client.get_command(agent.node(), started.id)
    assert result.status == "FAILED"
    assert result.error == {"type": "E", "message": "disk on fire"}


async def test_an_answer_with_more_than_we_know_is_no_problem(agent, client) -> None:
    await client.execute(agent.node(), "standby.sync", {})
    agent.commands[0]["from_the_future"] = True
    assert (await client.list_commands(agent.node()))[0].name == "sync"


# ---------------------------------------------------------------------- given once


async def test_a_command_whose_answer_was_lost_is_found_not_repeated(agent, client) -> None:
    agent.trouble = ["drop after"]
    result = await client.execute(agent.node(), "deploy.long", {})
    assert result.id == agent.commands[0]["id"]
    assert agent.count("POST") == 1


async def test_a_command_that_never_arrived_is_given_again(agent, client) -> None:
    agent.trouble = ["drop before", "drop before"]
    result = await client.execute(agent.node(), "standby.sync", {})
    assert result.status == "SUCCEEDED"
    assert len(agent.commands) == 1
    assert agent.count("POST") == 3


async def test_an_earlier_command_of_the_same_name_is_not_taken_for_the_new_one(agent, client) -> None:
    earlier = await client.execute(agent.node(), "standby.sync", {})
    agent.trouble = ["drop before"]
    result = await client.execute(agent.node(), "standby.sync", {})
    assert result.id != earlier.id
    assert len(agent.commands) == 2


async def test_a_lost_answer_is_waited_for_when_the_result_was_asked_for(agent) -> None:
    agent.trouble = ["drop after"]
    agent.long.add("standby.sync")
    async with a_client(poll_interval=0.0, command_timeout=1) as client:
        with pytest.raises(DeadlineExceeded, match="did not finish sync within 1 s"):
            await client.execute(agent.node(), "standby.sync", {}, wait=True)
    async with a_client(poll_interval=0.0) as client:
        agent.finish()
        agent.trouble = ["drop after"]
        agent.long.clear()
        result = await client.execute(agent.node(), "standby.sync", {}, wait=True)
    assert result.status == "SUCCEEDED"


async def test_a_read_is_tried_as_often_as_configured(agent, client) -> None:
    agent.trouble_on_get = ["drop before", 503]
    assert await client.list_commands(agent.node()) == []
    agent.trouble_on_get = ["drop before"] * 9
    with pytest.raises(AgentUnreachable, match=r"connection to the agent of node n1 .* broke") as caught:
        await client.list_commands(agent.node())
    assert caught.value.retry


async def test_an_agent_that_never_answers_is_given_up_at_the_deadline(agent) -> None:
    agent.trouble_on_get = ["hang"] * 3
    async with a_client(command_timeout=1, max_command_attempts=1) as client:
        with pytest.raises(AgentUnreachable, match="did not answer within 1 s"):
            await client.list_commands(agent.node())


async def test_an_agent_that_is_gone_is_named(agent, client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"https://127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(AgentUnreachable, match=f"node n1 at {url} cannot be reached"):
        await client.execute(agent.node(agent_url=url), "standby.sync", {})


async def test_a_node_without_an_agent_says_so(client, agent) -> None:
    with pytest.raises(AgentUnreachable, match="No agent has called back from node n1"):
        await client.list_commands(agent.node(agent_url=None))


# ---------------------------------------------------------------------- refusals


async def test_a_busy_agent_is_a_case_of_its_own_that_can_be_tried_again(agent, client) -> None:
    await client.execute(agent.node(), "deploy.long", {})
    with pytest.raises(AgentBusy, match="Agent is busy") as caught:
        await client.execute(agent.node(), "standby.sync", {})
    assert caught.value.retry


async def test_a_command_that_an_old_agent_does_not_know_is_told_apart(agent, client) -> None:
    with pytest.raises(CommandUnknown, match=r"Unknown command service\.new.*newer agent"):
        await client.execute(agent.node(), "service.new", {})
    assert agent.count("POST") == 1


async def test_a_command_that_a_restarted_agent_forgot_is_told_apart(agent, client) -> None:
    with pytest.raises(CommandLost, match="restarted"):
        await client.get_command(agent.node(), "c0")


async def test_a_wrong_token_is_refused_without_being_shown(agent, client) -> None:
    with pytest.raises(AgentRefused, match="old ramdisk") as caught:
        await client.list_commands(agent.node(agent_secret_token="guessed-token"))
    assert "guessed-token" not in f"{caught.value!s}{caught.value.__cause__!r}"


@pytest.mark.parametrize("status", [400, 500])
async def test_other_refusals_carry_the_agents_words_and_are_not_repeated(agent, client, status) -> None:
    agent.trouble = [status]
    with pytest.raises(AgentRefused, match=f"HTTP {status}: As the test wants it"):
        await client.execute(agent.node(), "standby.sync", {})
    assert agent.count("POST") == 1


async def test_an_answer_that_makes_no_sense_is_an_error(agent, client) -> None:
    agent.commands = [{"id": 5}]
    with pytest.raises(DeviceError, match="cannot be understood"):
        await client.list_commands(agent.node())


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_nested_beyond_measure_is_an_error(agent, client, status) -> None:
    agent.trouble_on_get = [web.Response(status=status, body=too_deep())]
    with pytest.raises(DeviceError, match=r"cannot be understood|HTTP 400"):
        await client.list_commands(agent.node())


async def test_an_answer_without_end_is_given_up_before_it_fills_the_memory(agent) -> None:
    bomb = web.Response(body=gzipped_zeros(MOST_BYTES + 1), headers={"Content-Encoding": "gzip"})
    agent.trouble_on_get = [bomb]
    async with a_client(max_command_attempts=1) as client:
        with pytest.raises(AgentUnreachable, match="longer than"):
            await client.list_commands(agent.node())
        assert await client.list_commands(agent.node()) == []


# ---------------------------------------------------------------------- who it is


async def test_another_certificate_than_the_one_sent_is_refused(agent, client, tmp_path) -> None:
    other = make_certificate(tmp_path, name="other").pem
    with pytest.raises(AgentRefused, match="another certificate than the one it sent"):
        await client.list_commands(agent.node(agent_verify_ca=other))


async def test_an_agent_that_restarts_with_a_new_certificate_is_known_by_it(client, tmp_path) -> None:
    for life in ("one", "two"):
        (tmp_path / life).mkdir()
        async with fake_agent(tmp_path / life) as agent:
            assert await client.list_commands(agent.node(uuid="same")) == []


async def test_an_agent_behind_address_translation_is_known_by_its_certificate(client, tmp_path) -> None:
    async with fake_agent(tmp_path, address="10.0.2.15") as agent:
        assert await client.list_commands(agent.node()) == []


async def test_under_a_ca_the_address_has_to_match_too(client, tmp_path) -> None:
    async with fake_agent(tmp_path, address="10.0.2.15", is_ca=True) as agent:
        with pytest.raises(AgentRefused, match=r"not for this address.*ipa-advertise-host"):
            await client.list_commands(agent.node())


async def test_an_agent_that_sent_no_certificate_is_checked_by_the_settings(agent) -> None:
    async with a_client() as client:
        with pytest.raises(AgentRefused):
            await client.list_commands(agent.node(agent_verify_ca=None))
    async with a_client(verify_ca="False") as client:
        assert await client.list_commands(agent.node(agent_verify_ca=None)) == []
    async with a_client(verify_ca=str(agent.certificate.certificate)) as client:
        assert await client.list_commands(agent.node(agent_verify_ca=None)) == []
    async with a_client(verify_ca="/no/such/file") as client:
        with pytest.raises(InvalidValue, match="agent_verify_ca"):
            await client.list_commands(agent.node(agent_verify_ca=None))


@pytest.mark.parametrize("comment", ["", "fülle\n"])
async def test_something_that_is_no_certificate_is_refused(agent, client, comment) -> None:
    pem = f"{comment}{agent.certificate.pem}" if comment else "-----BEGIN nothing"
    with pytest.raises(AgentRefused, match="cannot be read"):
        await client.list_commands(agent.node(agent_verify_ca=pem))


async def test_an_agent_without_tls_is_refused_unless_allowed(agent, client) -> None:
    with pytest.raises(AgentRefused, match="without TLS"):
        await client.list_commands(agent.node(agent_url="http://127.0.0.1:1"))
    async with a_client(require_tls=False) as lenient:
        with pytest.raises(AgentUnreachable, match="cannot be reached"):
            await lenient.list_commands(agent.node(agent_url="http://127.0.0.1:1"))
