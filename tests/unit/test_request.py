from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.clock import SECOND
from countertop.domain.errors import TooLate
from countertop.domain.order import Kind
from countertop.domain.request import (
    AT_THE_TERMINAL,
    WITH_RESULT,
    Outcome,
    Request,
    Status,
    begin,
    begin_busy,
    cancel,
    expire,
    extend,
    finish,
    show,
)

NOW = 1_000_000
SHOWN = 60 * SECOND
ENDED = [
    cancel(begin("r", Kind.READ, NOW, SECOND), Outcome.MERCHANT_CANCELLED, NOW),
    begin_busy("r", Kind.READ, NOW),
    expire(begin("r", Kind.READ, NOW, SECOND), NOW + SECOND, terminal_online=True),
]


def connecting(kind: Kind = Kind.READ) -> Request:
    return begin("r", kind, NOW, 10 * SECOND)


def in_progress(kind: Kind = Kind.READ) -> Request:
    return show(connecting(kind), NOW, SHOWN)


def test_a_request_begins_connecting_and_with_a_deadline() -> None:
    request = connecting()
    assert (request.status, request.sequence, request.deadline) == (Status.CONNECTING, 1, NOW + 10 * SECOND)


def test_a_request_to_a_busy_terminal_is_born_ended() -> None:
    request = begin_busy("r", Kind.READ, NOW)
    assert (request.status, request.outcome, request.deadline, request.ended) == (
        Status.BUSY,
        Outcome.TERMINAL_BUSY,
        None,
        NOW,
    )


@pytest.mark.parametrize("ended", ENDED)
def test_nothing_leaves_an_end(ended: Request) -> None:
    with pytest.raises(TooLate):
        show(ended, NOW, SHOWN)
    with pytest.raises(TooLate):
        extend(ended, NOW, SHOWN)
    with pytest.raises(TooLate):
        finish(ended, Outcome.CUSTOMER_CANCELLED, NOW)
    with pytest.raises(TooLate):
        cancel(ended, Outcome.SUPERSEDED, NOW)
    with pytest.raises(TooLate):
        expire(ended, NOW + 10**9, terminal_online=True)


def test_only_what_connects_can_be_shown() -> None:
    with pytest.raises(TooLate):
        show(in_progress(), NOW, SHOWN)


def test_only_what_is_shown_can_be_finished() -> None:
    with pytest.raises(TooLate):
        finish(connecting(), Outcome.CUSTOMER_CANCELLED, NOW)


@pytest.mark.parametrize("kind", [Kind.READ, Kind.PROMPT, Kind.INPUT, Kind.SIGNATURE])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_terminal_reports_only_what_belongs_to_the_request(kind: Kind, outcome: Outcome) -> None:
    request = in_progress(kind)
    result = kind if outcome in WITH_RESULT else None
    if kind in AT_THE_TERMINAL.get(outcome, ()):
        ended = finish(request, outcome, NOW, result=result)
        assert (ended.status, ended.outcome, ended.sequence, ended.deadline) == (Status.COMPLETE, outcome, 3, None)
        with pytest.raises(TooLate):
            finish(request, outcome, NOW, result=None if result else kind)
    else:
        with pytest.raises(TooLate):
            finish(request, outcome, NOW, result=result)


def test_a_deadline_is_extended_twice_and_that_is_no_event() -> None:
    request = in_progress()
    for time in (1, 2):
        request = extend(request, NOW + time, SHOWN)
        assert (request.sequence, request.deadline) == (2, NOW + time + SHOWN)
    with pytest.raises(TooLate):
        extend(request, NOW, SHOWN)
    with pytest.raises(TooLate):
        extend(connecting(), NOW, SHOWN)


@pytest.mark.parametrize(
    ("request_", "online", "status", "outcome"),
    [
        (connecting(), True, Status.NO_CONNECTION, Outcome.TERMINAL_UNREACHABLE),
        (connecting(), False, Status.NO_CONNECTION, Outcome.TERMINAL_UNREACHABLE),
        (in_progress(), True, Status.COMPLETE, Outcome.TIMED_OUT),
        (in_progress(), False, Status.NO_CONNECTION, Outcome.TERMINAL_LOST),
    ],
)
def test_a_deadline_ends_a_request(request_: Request, online: bool, status: Status, outcome: Outcome) -> None:
    assert request_.deadline is not None
    with pytest.raises(TooLate):
        expire(request_, request_.deadline - 1, terminal_online=online)
    ended = expire(request_, request_.deadline, terminal_online=online)
    assert (ended.status, ended.outcome, ended.ended) == (status, outcome, request_.deadline)


@given(st.sampled_from(list(Status)))
def test_what_runs_occupies_its_terminal(status: Status) -> None:
    assert status.running == (status in {Status.CONNECTING, Status.IN_PROGRESS})
