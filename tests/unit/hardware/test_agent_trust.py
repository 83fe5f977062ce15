"""How long it is remembered by which certificate an agent is known."""

from pathlib import Path

import pytest

from bessemer.config.settings import AgentSettings
from bessemer.domain.node import Node
from bessemer.hardware.agent.trust import IDLE_S, AgentTrust
from bessemer.kernel.ident import new_uuid
from fakes.certificate import make_certificate
from fakes.task import make_task


@pytest.fixture
def pem(tmp_path: Path) -> str:
    return make_certificate(tmp_path).pem


def a_node(pem: str) -> Node:
    return make_task(uuid=new_uuid(), driver_internal_info={"agent_verify_ca": pem}).node


def test_a_context_is_kept_while_the_agent_is_called_and_dropped_when_it_no_longer_is(pem: str) -> None:
    now = 0.0
    trust = AgentTrust(AgentSettings(), now=lambda: now)
    called, forgotten = a_node(pem), a_node(pem)
    kept, dropped = trust.context_for(called), trust.context_for(forgotten)
    now = 0.9 * IDLE_S
    assert trust.context_for(called) is kept
    now = 1.1 * IDLE_S
    assert trust.context_for(called) is kept
    assert trust.context_for(forgotten) is not dropped
