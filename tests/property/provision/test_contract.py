"""The service's tables of provision states say what the contract says."""

import pytest

from bessemer.domain.provision import KINDS, TARGETS, TRANSITIONS, VERBS, ProvisionState, StateKind
from property.provision import contract

_KINDS = {
    "stable": StateKind.STABLE, "failed": StateKind.FAILED, "transient": StateKind.RUNNING,
    "waiting": StateKind.WAITING, "hold": StateKind.HOLD,
}  # fmt: skip


def test_the_states_and_verbs_are_those_of_the_contract() -> None:
    assert {str(state) for state in ProvisionState} == set(contract.STATES)
    assert {str(verb) for verb in VERBS} == contract.VERBS


@pytest.mark.parametrize("state", ProvisionState)
def test_a_state_is_what_the_contract_says_of_it(state: ProvisionState) -> None:
    row = contract.STATES[state]
    assert KINDS[state] is _KINDS[row.kind]
    assert TARGETS.get(state) == row.target
    assert {str(event): str(to) for event, to in TRANSITIONS[state].items()} == row.events
    assert {str(verb) for verb, rule in VERBS.items() if state in rule.states} == row.verbs
