"""The state machine has no dead ends, and every passing state has a way to fail and a way to be stopped."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bessemer.domain.provision import (
    KINDS,
    TARGETS,
    TRANSITIONS,
    VERBS,
    Event,
    ProvisionState,
    StateKind,
    Verb,
    event_for,
    is_settled,
    next_state,
)
from bessemer.kernel.error import InvalidValue

STATES = list(ProvisionState)


def of_kind(*kinds: StateKind) -> list[ProvisionState]:
    return [state for state in STATES if KINDS[state] in kinds]


def reachable(start: ProvisionState) -> set[ProvisionState]:
    seen, todo = {start}, [start]
    while todo:
        for state in TRANSITIONS[todo.pop()].values():
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return seen


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_kind_and_its_own_row(state: ProvisionState) -> None:
    assert state in KINDS
    assert state in TRANSITIONS


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_reach_available_again(state: ProvisionState) -> None:
    assert ProvisionState.AVAILABLE in reachable(state)


@pytest.mark.parametrize("state", STATES)
def test_enroll_leads_to_every_state(state: ProvisionState) -> None:
    assert state in reachable(ProvisionState.ENROLL)


@pytest.mark.parametrize("state", of_kind(StateKind.RUNNING))
def test_running_work_can_fail_into_a_state_where_nothing_runs(state: ProvisionState) -> None:
    assert is_settled(next_state(state, Event.FAIL))


@pytest.mark.parametrize("state", of_kind(StateKind.WAITING))
def test_waiting_work_can_fail_resume_and_be_aborted(state: ProvisionState) -> None:
    assert is_settled(next_state(state, Event.FAIL))
    assert is_settled(next_state(state, Event.ABORT))
    assert KINDS[next_state(state, Event.RESUME)] is StateKind.RUNNING


@pytest.mark.parametrize("state", of_kind(StateKind.HOLD))
def test_held_work_can_go_on_and_be_aborted(state: ProvisionState) -> None:
    assert KINDS[next_state(state, Event.UNHOLD)] is StateKind.WAITING
    assert is_settled(next_state(state, Event.ABORT))


@pytest.mark.parametrize("state", [state for state in STATES if not is_settled(state)])
def test_passing_states_say_where_the_node_is_heading(state: ProvisionState) -> None:
    target = TARGETS[state]
    assert KINDS[target] is StateKind.STABLE
    assert target in reachable(state)


@pytest.mark.parametrize("verb", list(Verb))
def test_a_verb_may_only_be_asked_for_where_its_event_leads_somewhere(verb: Verb) -> None:
    for state in VERBS[verb].states:
        assert VERBS[verb].event in TRANSITIONS[state]


def possible(verbs: Iterable[Verb], state: ProvisionState) -> list[Verb]:
    return [verb for verb in verbs if state in VERBS[verb].states]


@pytest.mark.parametrize("state", [state for state in STATES if is_settled(state)])
def test_a_person_can_do_something_with_every_settled_node(state: ProvisionState) -> None:
    assert possible(Verb, state)


@given(st.sampled_from(STATES), st.sampled_from(list(Verb)))
def test_a_verb_is_accepted_exactly_in_its_states(state: ProvisionState, verb: Verb) -> None:
    if state in VERBS[verb].states:
        assert next_state(state, event_for(state, verb)) in STATES
    else:
        with pytest.raises(InvalidValue, match=verb.value):
            event_for(state, verb)


@given(st.lists(st.sampled_from(list(Event)), max_size=60))
def test_no_sequence_of_events_leaves_the_machine(events: list[Event]) -> None:
    state = ProvisionState.ENROLL
    for event in events:
        try:
            state = next_state(state, event)
        except InvalidValue:
            assert event not in TRANSITIONS[state]
    assert state in STATES
