"""The life of requests against a simple model: whatever happens in whatever order, the store agrees with a few dictionaries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from countertop.domain.clock import SECOND, Instant
from countertop.domain.errors import TooLate
from countertop.domain.order import InputOrder, Kind, Order, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Result, Signed
from countertop.gateway.operations.connection import connect_terminal, disconnect_terminal
from countertop.gateway.operations.request import (
    expire_requests,
    extend_request,
    finish_request,
    press_main,
    show_request,
    start_request,
)
from countertop.gateway.store import table
from tests.store.world import CONNECT, SHOWN, World, opened, populate

T = TypeVar("T")

ORDERS: Final[dict[Kind, Order]] = {
    Kind.READ: ReadOrder(),
    Kind.PROMPT: PromptOrder("Paper?", ("Yes", "No")),
    Kind.INPUT: InputOrder("PHONE"),
    Kind.SIGNATURE: SignatureOrder("All sales are final."),
}
ENDS: Final[dict[Outcome, tuple[Kind | None, Result | None]]] = {
    Outcome.CARD_READ: (Kind.READ, CardRead(";7090112233654321?", None, "7090112233654321")),
    Outcome.READ_FAILED: (Kind.READ, None),
    Outcome.BUTTON_PRESSED: (Kind.PROMPT, ButtonPressed("Yes")),
    Outcome.INPUT_ENTERED: (Kind.INPUT, InputEntered("8055551234")),
    Outcome.SIGNED: (Kind.SIGNATURE, Signed((((1, 2), (3, 4)),))),
    Outcome.CUSTOMER_CANCELLED: (None, None),
}
"""What a terminal may report: of which kind of request (None: of any), with which result."""


@dataclass
class Expected:
    """What the model knows of a request."""

    terminal: int
    kind: Kind
    deadline: Instant
    history: list[tuple[str, str | None]] = field(default_factory=list)
    extensions: int = 0
    result: Result | None = None

    @property
    def status(self) -> str:
        return self.history[-1][0]

    @property
    def runs(self) -> bool:
        return self.status in ("CONNECTING", "IN_PROGRESS")


class Place:
    """An event loop with an open store, shared by all examples of one run; each example has a merchant of its own."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._names = count()
        self.world: World = self.runner.run(self._stack.enter_async_context(opened(url)))

    def new_world(self) -> World:
        # Time goes on from one example to the next, and what the last one left has ended by then.
        self.world.now += 400 * SECOND
        self.runner.run(self._end_all())
        caller, terminals = self.runner.run(populate(self.world.store, f"Shop {next(self._names)}", 3, self.world.now))
        world = replace(self.world, caller=caller, terminals=terminals)
        self.runner.run(world.listen())
        return world

    async def _end_all(self) -> None:
        while await self.world.store.write(expire_requests, self.world.at(), 100) == 100:
            pass

    def close(self, last: Instant) -> None:
        self.world.now = last

    def end(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()


class Life(RuleBasedStateMachine):
    """Several terminals, each with its requests. Made for a place by `machine_for`."""

    place: Place
    requests = Bundle("requests")
    terminals = st.integers(0, 2)

    def __init__(self) -> None:
        super().__init__()
        self.world = self.place.new_world()
        self.expected: dict[str, Expected] = {}
        self.running: dict[int, str] = {}
        self.online: set[int] = set()

    def teardown(self) -> None:
        self.place.close(self.world.now)

    def do(self, operation: Any, *args: Any) -> Any:
        async def write() -> Any:
            return await self.world.store.write(operation, self.world.at(), *args)

        return self.place.runner.run(write())

    def end(self, request_id: str, status: str, outcome: str) -> None:
        found = self.expected[request_id]
        found.history.append((status, outcome))
        self.running.pop(found.terminal, None)

    def expire(self, request_id: str) -> None:
        found = self.expected[request_id]
        if found.status == "CONNECTING":
            self.end(request_id, "NO_CONNECTION", "TERMINAL_UNREACHABLE")
        elif found.terminal in self.online:
            self.end(request_id, "COMPLETE", "TIMED_OUT")
        else:
            self.end(request_id, "NO_CONNECTION", "TERMINAL_LOST")

    @rule(target=requests, terminal=terminals, kind=st.sampled_from(list(ORDERS)), interrupt=st.booleans())
    def start(self, terminal: int, kind: Kind, interrupt: bool) -> str:
        command = self.world.order(self.world.terminals[terminal], ORDERS[kind], interrupt=interrupt)
        request_id: str = self.do(start_request, self.world.caller, command)
        expected = Expected(terminal, kind, self.world.now + CONNECT)
        self.expected[request_id] = expected
        before = self.running.get(terminal)
        if before is not None and not interrupt and self.expected[before].deadline > self.world.now:
            expected.history.append(("BUSY", "TERMINAL_BUSY"))
            return request_id
        if before is not None and interrupt:
            self.end(before, "COMPLETE", "SUPERSEDED")
        elif before is not None:
            self.expire(before)
        expected.history.append(("CONNECTING", None))
        self.running[terminal] = request_id
        return request_id

    @rule(terminal=terminals)
    def connect(self, terminal: int) -> None:
        self.do(connect_terminal, self.world.terminals[terminal], "c", "IDLE")
        self.online.add(terminal)

    @rule(terminal=terminals)
    def disconnect(self, terminal: int) -> None:
        self.do(disconnect_terminal, self.world.terminals[terminal], "c")
        self.online.discard(terminal)

    @rule(request_id=requests)
    def show(self, request_id: str) -> None:
        found = self.expected[request_id]
        if not found.runs:
            with pytest.raises(TooLate):
                self.do(show_request, self.world.terminals[found.terminal], request_id)
            return
        remaining = self.do(show_request, self.world.terminals[found.terminal], request_id)
        if found.status == "CONNECTING":
            found.history.append(("IN_PROGRESS", None))
            found.deadline = self.world.now + SHOWN
        assert remaining == max(0, found.deadline - self.world.now)

    @rule(request_id=requests)
    def extend(self, request_id: str) -> None:
        found = self.expected[request_id]
        if found.status != "IN_PROGRESS" or found.extensions == 2:
            with pytest.raises(TooLate):
                self.do(extend_request, self.world.terminals[found.terminal], request_id)
            return
        assert self.do(extend_request, self.world.terminals[found.terminal], request_id) == SHOWN
        found.extensions += 1
        found.deadline = self.world.now + SHOWN

    @rule(request_id=requests, outcome=st.sampled_from(list(Outcome)), fitting=st.booleans())
    def finish(self, request_id: str, outcome: Outcome, fitting: bool) -> None:
        found = self.expected[request_id]
        if fitting:
            outcome = next(end for end, (kind, _) in ENDS.items() if kind is found.kind)
        kind, result = ENDS.get(outcome, (None, None))
        report = (finish_request, self.world.terminals[found.terminal], request_id, outcome, result)
        copy = not found.runs and found.history[-1][1] == outcome and found.result == result
        if copy:
            self.do(*report)
        elif found.runs and outcome in ENDS and kind in (None, found.kind):
            self.do(*report)
            if found.status == "CONNECTING":  # its terminal has shown it, even if nobody was told
                found.history.append(("IN_PROGRESS", None))
            found.result = result
            self.end(request_id, "COMPLETE", outcome.value)
        else:
            with pytest.raises(TooLate):
                self.do(*report)

    @rule(terminal=terminals)
    def main(self, terminal: int) -> None:
        self.do(press_main, self.world.caller, self.world.terminals[terminal])
        if terminal in self.running:
            self.end(self.running[terminal], "COMPLETE", "MERCHANT_CANCELLED")

    @rule(passes=st.sampled_from([1, SECOND, CONNECT - 1, CONNECT, SHOWN]), sweep=st.booleans())
    def wait(self, passes: int, sweep: bool) -> None:
        self.world.now += passes
        if not sweep:
            return
        self.do(expire_requests, 100)
        for request_id in list(self.running.values()):
            if self.expected[request_id].deadline <= self.world.now:
                self.expire(request_id)

    @invariant()
    def the_store_agrees(self) -> None:
        rows = self.place.runner.run(self._rows())
        events: dict[str, list[tuple[int, str, str | None]]] = {}
        for subject, sequence, data in rows["events"]:
            facts = json.loads(data)
            events.setdefault(subject, []).append((sequence, facts["status"], facts.get("outcome")))
        for request_id, found in self.expected.items():
            history = [(number, *step) for number, step in enumerate(found.history, start=1)]
            assert sorted(events[request_id]) == history
        stored = {row[0]: row[1:] for row in rows["requests"]}
        assert stored == {
            request_id: (*found.history[-1], len(found.history), found.deadline if found.runs else None)
            for request_id, found in self.expected.items()
        }
        assert rows["doubled"] == []

    async def _rows(self) -> dict[str, list[tuple[Any, ...]]]:
        request, event = table.request.c, table.event.c
        mine = request.merchant_id == self.world.caller.merchant_id
        columns = (request.id, request.status, request.outcome, request.sequence, request.deadline)
        doubled = select(request.smart_terminal_id).where(mine, request.deadline.is_not(None))
        return {
            "requests": await self.world.rows(select(*columns).where(mine)),
            "events": await self.world.rows(
                select(event.subject_id, event.sequence, event.data).where(event.merchant_id == self.world.caller.merchant_id)
            ),
            "doubled": await self.world.rows(doubled.group_by(request.smart_terminal_id).having(func.count() > 1)),
        }


@pytest.fixture
def place(url: str) -> Iterator[Place]:
    found = Place(url)
    yield found
    found.end()


def test_the_store_lives_the_life_of_the_model(place: Place) -> None:
    machine = type("LifeHere", (Life,), {"place": place})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
        ),
    )
