"""Two nodes on one PostgreSQL: whatever they do at once, each thing happens once and nothing is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from countertop.domain.errors import TooLate
from countertop.domain.hint import DeliveryHint
from countertop.domain.request import Outcome, Status
from countertop.domain.webhook import Attempt
from countertop.gateway.operations.delivery import record_attempt
from countertop.gateway.operations.request import expire_requests, finish_request, press_main, show_request, start_request
from countertop.gateway.store import table
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.store import open_store
from countertop.gateway.store.trouble import Contended
from tests.store.world import CARD, CONNECT, KEYRING, World, opened, populate

pytestmark = pytest.mark.postgres


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[tuple[World, World]]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(opened(postgres_url))
        store = await open_store(postgres_url, Sealer(KEYRING), first.hints.extend)
        stack.push_async_callback(store.close)
        yield first, replace(first, store=store, node="node-2")


async def test_of_many_requests_for_one_terminal_one_runs(nodes: tuple[World, World]) -> None:
    asked = [
        node.store.write(start_request, node.at(), node.caller, node.order(node.terminals[0]))
        for _ in range(10)
        for node in nodes
    ]
    states = [await nodes[0].state(await request) for request in asked]
    assert sorted(states) == [(Status.BUSY, Outcome.TERMINAL_BUSY)] * 19 + [(Status.CONNECTING, None)]


async def test_of_many_that_interrupt_the_last_runs(nodes: tuple[World, World]) -> None:
    asked = [
        node.store.write(start_request, node.at(), node.caller, node.order(node.terminals[0], interrupt=True))
        for _ in range(5)
        for node in nodes
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, str | Contended) for answer in answers)
    states = [(await nodes[0].state(answer))[0] for answer in answers if isinstance(answer, str)]
    assert states.count(Status.CONNECTING) == 1
    assert set(states) <= {Status.CONNECTING, Status.COMPLETE}


async def test_a_request_ends_once_however_many_ways_it_could(nodes: tuple[World, World]) -> None:
    one, other = nodes
    one.caller, terminals = await populate(one.store, "Large Shop", 12)
    other.caller = one.caller
    await one.listen()
    requests = [await one.start(terminal) for terminal in terminals]
    for terminal, request_id in zip(terminals, requests, strict=True):
        await one.show(request_id, terminal)
    one.now = other.now = one.now + 60_000
    ends: list[asyncio.Future[Any]] = []
    for terminal, request_id in zip(terminals, requests, strict=True):
        ends.append(one.store.write(finish_request, one.at(), terminal, request_id, Outcome.CARD_READ, CARD))
        ends.append(other.store.write(press_main, other.at(), other.caller, terminal))
    ends += [node.store.write(expire_requests, node.at(), 20) for node in nodes]
    answers = await asyncio.gather(*ends, return_exceptions=True)
    assert all(answer is None or isinstance(answer, int | TooLate) for answer in answers)
    columns = table.event.c
    for request_id in requests:
        rows = await one.rows(select(columns.sequence).where(columns.subject_id == request_id).order_by(columns.sequence))
        assert rows == [(1,), (2,), (3,)]
        assert (await one.view(request_id)).status in (Status.COMPLETE, Status.NO_CONNECTION)


async def test_no_event_is_left_waiting_behind_one_that_was_just_acknowledged(nodes: tuple[World, World]) -> None:
    one, other = nodes
    await one.subscribe()
    one.caller, terminals = one.caller, one.terminals
    for _ in range(25):
        one.hints.clear()
        request_id = await one.start(terminals[0], interrupt=True)
        first = next(owed for hint in one.heard(DeliveryHint) for owed in hint.leased if owed.subject_id == request_id)
        acknowledged = other.store.write(record_attempt, other.at(), first, Attempt(other.now, 1, 200))
        shown = one.store.write(show_request, one.at(), terminals[0], request_id)
        following = await acknowledged
        await shown
        born = [owed for hint in one.heard(DeliveryHint) for owed in hint.leased if owed.sequence == 2]
        # The second event is in somebody's hands: whoever wrote it, or whoever finished the first.
        assert len(born) + (following is not None) == 1


async def test_deadlines_are_dealt_with_once(nodes: tuple[World, World]) -> None:
    one, other = nodes
    one.caller, terminals = await populate(one.store, "Large Shop", 20)
    await one.listen()
    for terminal in terminals:
        await one.start(terminal)
    one.now = other.now = one.now + CONNECT
    counts = await asyncio.gather(*(node.store.write(expire_requests, node.at(), 8) for node in nodes for _ in range(4)))
    assert sum(counts) >= 20
    rows = await one.rows(select(table.event.c.subject_id).where(table.event.c.sequence == 2))
    assert len(rows) == len(set(rows)) == 20
