"""The life of a request, step by step, as the store keeps it."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from sqlalchemy import select

from countertop.domain.clock import SECOND
from countertop.domain.errors import Invalid, NotFound, TooLate
from countertop.domain.hint import ClearHint, RequestHint, ShowHint
from countertop.domain.order import PromptOrder, ReadOrder
from countertop.domain.request import Outcome, Status
from countertop.domain.result import ButtonPressed, CardRead
from countertop.gateway.operations.connection import disconnect_terminal, renew_node
from countertop.gateway.operations.request import (
    StartRequest,
    check_target,
    expire_requests,
    extend_request,
    find_request,
    next_deadline,
    press_main,
    start_request,
)
from countertop.gateway.store import table
from tests.store.world import CARD, CONNECT, SHOWN, World, populate

PROMPT = PromptOrder("Paper or plastic?", ("Paper", "Plastic"))


async def events(world: World, request_id: str) -> list[dict[str, object]]:
    statement = select(table.event.c.sequence, table.event.c.data).where(table.event.c.subject_id == request_id)
    rows = sorted(await world.rows(statement))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    return [json.loads(row[1]) for row in rows]


async def test_a_card_is_read(world: World) -> None:
    await world.listen()
    request_id = await world.start()
    assert await world.state(request_id) == (Status.CONNECTING, None)
    assert await world.show(request_id) == SHOWN
    await world.finish(request_id)

    view = await world.view(request_id)

    assert (view.status, view.outcome, view.result, view.sequence) == (Status.COMPLETE, Outcome.CARD_READ, CARD, 3)
    assert await events(world, request_id) == [
        {"kind": "read", "status": "CONNECTING"},
        {"kind": "read", "status": "IN_PROGRESS"},
        {"kind": "read", "status": "COMPLETE", "outcome": "CARD_READ"},
    ]


async def test_a_terminal_is_hinted_at_what_to_show_and_pollers_at_each_change(world: World) -> None:
    terminal = world.terminals[0]
    request_id = await world.start(order=PROMPT)
    assert world.heard(ShowHint) == [ShowHint(terminal, request_id, PROMPT, SHOWN)]
    await world.show(request_id)
    await world.store.write(press_main, world.at(), world.caller, terminal)
    assert world.heard(RequestHint) == [RequestHint(request_id)] * 2
    assert world.heard(ClearHint) == [ClearHint(terminal, request_id)]


async def test_a_result_that_the_terminal_reports_needs_no_clearing(world: World) -> None:
    request_id = await world.start()
    await world.show(request_id)
    await world.finish(request_id)
    assert not world.heard(ClearHint)


async def test_a_busy_terminal_refuses_the_second_request(world: World) -> None:
    first, second = await world.start(), await world.start()
    assert await world.state(second) == (Status.BUSY, Outcome.TERMINAL_BUSY)
    assert await world.state(first) == (Status.CONNECTING, None)
    assert [hint.request_id for hint in world.heard(ShowHint)] == [first]


async def test_an_older_client_interrupts_what_runs(world: World) -> None:
    first = await world.start()
    second = await world.start(interrupt=True)
    assert await world.state(first) == (Status.COMPLETE, Outcome.SUPERSEDED)
    assert await world.state(second) == (Status.CONNECTING, None)


async def test_what_has_outlived_its_deadline_does_not_keep_a_terminal_busy(world: World) -> None:
    first = await world.start()
    world.now += CONNECT
    second = await world.start()
    assert await world.state(first) == (Status.NO_CONNECTION, Outcome.TERMINAL_UNREACHABLE)
    assert await world.state(second) == (Status.CONNECTING, None)


async def test_terminals_do_not_disturb_one_another(world: World) -> None:
    requests = [await world.start(terminal) for terminal in world.terminals]
    assert [await world.state(request_id) for request_id in requests] == [(Status.CONNECTING, None)] * 2


async def test_a_terminal_of_nobody_or_of_somebody_else_is_unknown(world: World) -> None:
    stranger, _ = await populate(world.store, "Another Shop")
    command = world.order()
    for caller, terminal in ((world.caller, "no-such-terminal"), (stranger, world.terminals[0])):
        with pytest.raises(NotFound):
            await world.store.write(start_request, world.at(), caller, world.order(terminal))
        with pytest.raises(NotFound):
            await world.store.write(press_main, world.at(), caller, terminal)
        with pytest.raises(NotFound):
            await world.store.read(check_target, caller, terminal, command.terminal_id)


@pytest.mark.parametrize("terminal_id", [0, 2, 3, 2**62])
async def test_an_account_that_is_missing_or_disabled_is_a_fault_of_the_form(world: World, terminal_id: int) -> None:
    command = StartRequest(world.terminals[0], terminal_id, ReadOrder(), False, CONNECT, SHOWN)
    with pytest.raises(Invalid) as refusal:
        await world.store.write(start_request, world.at(), world.caller, command)
    assert [(fault.parameter, fault.kind) for fault in refusal.value.faults] == [("terminalId", "invalid")]
    assert await world.store.read(check_target, world.caller, world.terminals[0], terminal_id) == list(refusal.value.faults)


async def test_a_fitting_target_has_no_fault(world: World) -> None:
    for terminal_id in (1, None):
        assert await world.store.read(check_target, world.caller, world.terminals[0], terminal_id) == []


async def test_a_request_is_known_to_its_merchant_only(world: World) -> None:
    request_id = await world.start()
    stranger, _ = await populate(world.store, "Another Shop")
    for merchant_id, asked in ((stranger.merchant_id, request_id), (world.caller.merchant_id, "no-such-request")):
        with pytest.raises(NotFound):
            await world.store.peek(find_request, merchant_id, asked)


async def test_main_ends_what_runs_and_leaves_an_idle_terminal_alone(world: World) -> None:
    await world.listen()
    request_id = await world.start()
    for _ in range(2):
        await world.store.write(press_main, world.at(), world.caller, world.terminals[0])
    assert await world.state(request_id) == (Status.COMPLETE, Outcome.MERCHANT_CANCELLED)
    assert len(await events(world, request_id)) == 2


async def test_saying_the_same_twice_changes_nothing(world: World) -> None:
    await world.listen()
    request_id = await world.start()
    await world.show(request_id)
    world.now += SECOND
    assert await world.show(request_id) == SHOWN - SECOND
    await world.finish(request_id)
    await world.finish(request_id)
    assert len(await events(world, request_id)) == 3


async def test_what_has_ended_at_its_terminal_was_shown_there(world: World) -> None:
    """The word that it was shown can be lost with a node, after the customer has seen it."""
    await world.listen()
    request_id = await world.start()
    await world.finish(request_id)
    assert await world.state(request_id) == (Status.COMPLETE, Outcome.CARD_READ)
    assert [event["status"] for event in await events(world, request_id)] == ["CONNECTING", "IN_PROGRESS", "COMPLETE"]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome.CUSTOMER_CANCELLED, None),
        (Outcome.CARD_READ, CardRead(";1234567890?", None, "1234567890")),
        (Outcome.CARD_READ, None),
    ],
)
async def test_a_second_end_that_differs_is_too_late(world: World, outcome: Outcome, result: CardRead | None) -> None:
    request_id = await world.start()
    await world.show(request_id)
    await world.finish(request_id)
    with pytest.raises(TooLate):
        await world.finish(request_id, outcome, result)
    assert (await world.view(request_id)).result == CARD


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome.CARD_READ, None),
        (Outcome.CARD_READ, ButtonPressed("Paper")),
        (Outcome.BUTTON_PRESSED, ButtonPressed("Paper")),
        (Outcome.CUSTOMER_CANCELLED, CARD),
        (Outcome.TIMED_OUT, None),
        (Outcome.MERCHANT_CANCELLED, None),
    ],
)
async def test_an_end_that_does_not_belong_to_the_request_is_refused(
    world: World, outcome: Outcome, result: CardRead | ButtonPressed | None
) -> None:
    request_id = await world.start()
    await world.show(request_id)
    with pytest.raises(TooLate):
        await world.finish(request_id, outcome, result)
    assert await world.state(request_id) == (Status.IN_PROGRESS, None)


async def test_a_terminal_can_not_speak_for_another(world: World) -> None:
    request_id = await world.start()
    with pytest.raises(NotFound):
        await world.show(request_id, world.terminals[1])
    await world.show(request_id)
    with pytest.raises(NotFound):
        await world.finish(request_id, terminal=world.terminals[1])


async def test_a_bad_swipe_gives_time_anew_twice(world: World) -> None:
    request_id = await world.start()
    await world.show(request_id)
    for _ in range(2):
        world.now += 20 * SECOND
        assert await world.store.write(extend_request, world.at(), world.terminals[0], request_id) == SHOWN
    with pytest.raises(TooLate):
        await world.store.write(extend_request, world.at(), world.terminals[0], request_id)
    assert await world.store.read(next_deadline) == world.now + SHOWN


async def test_deadlines_end_what_they_should_and_nothing_else(world: World) -> None:
    early = await world.start(world.terminals[0])
    world.now += SECOND
    late = await world.start(world.terminals[1])
    assert await world.store.read(next_deadline) == world.now - SECOND + CONNECT

    world.now += CONNECT - SECOND
    assert await world.store.write(expire_requests, world.at(), 10) == 1

    assert await world.state(early) == (Status.NO_CONNECTION, Outcome.TERMINAL_UNREACHABLE)
    assert await world.state(late) == (Status.CONNECTING, None)
    world.now += SECOND
    assert await world.store.write(expire_requests, world.at(), 10) == 1
    assert await world.store.read(next_deadline) is None


async def test_at_most_so_many_requests_end_in_one_unit(world: World) -> None:
    requests = [await world.start(terminal) for terminal in world.terminals]
    world.now += CONNECT
    assert [await world.store.write(expire_requests, world.at(), 1) for _ in range(3)] == [1, 1, 0]
    assert {(await world.state(request_id))[0] for request_id in requests} == {Status.NO_CONNECTION}


async def test_a_shown_request_times_out_if_its_terminal_is_there(world: World) -> None:
    await world.connect()
    request_id = await world.start()
    await world.show(request_id)
    world.now += SHOWN
    await world.store.write(renew_node, world.at(), SECOND)
    await world.store.write(expire_requests, world.at(node="another"), 10)
    assert await world.state(request_id) == (Status.COMPLETE, Outcome.TIMED_OUT)


@pytest.mark.parametrize("why", ["disconnected", "its node died", "never connected"])
async def test_a_shown_request_is_lost_with_its_terminal(world: World, why: str) -> None:
    if why != "never connected":
        await world.store.write(renew_node, world.at(), SHOWN)
        await world.connect()
    request_id = await world.start()
    await world.show(request_id)
    if why == "disconnected":
        await world.store.write(disconnect_terminal, world.at(), world.terminals[0], "connection-1")
    world.now += SHOWN
    await world.store.write(expire_requests, world.at(node="another"), 10)
    assert await world.state(request_id) == (Status.NO_CONNECTION, Outcome.TERMINAL_LOST)


async def test_a_node_counts_itself_as_living(world: World) -> None:
    await world.connect()
    request_id = await world.start()
    await world.show(request_id)
    world.now += SHOWN
    await world.store.write(expire_requests, world.at(), 10)
    assert await world.state(request_id) == (Status.COMPLETE, Outcome.TIMED_OUT)


async def test_ids_and_events_are_in_order_of_time(world: World) -> None:
    ids = []
    for _ in range(5):
        ids.append(await world.start(interrupt=True))
        world.now += 1
    assert all(one < next_ for one, next_ in pairwise(ids))
