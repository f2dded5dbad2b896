"""A store with a merchant in it, and short words for what tests do with it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from uuid import uuid4

from sqlalchemy import Select

from countertop.domain.clock import SECOND, Instant
from countertop.domain.hint import Hint
from countertop.domain.order import Order, ReadOrder
from countertop.domain.releases import NEWEST
from countertop.domain.request import Outcome, Status
from countertop.domain.result import CardRead, Result
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.connection import connect_terminal
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.request import (
    RequestView,
    StartRequest,
    find_request,
    finish_request,
    show_request,
    start_request,
)
from countertop.gateway.operations.seed import Seed, SeedMerchant, SeedSmartTerminal, SeedTerminal, apply_seed
from countertop.gateway.operations.webhook import Webhook, create_webhook
from countertop.gateway.store import merchant
from countertop.gateway.store.sealing import Keyring, Sealer
from countertop.gateway.store.statement import Query
from countertop.gateway.store.store import MAX_WAITING, Publish, Store, open_store
from countertop.gateway.store.unit import Unit

T = TypeVar("T")
H = TypeVar("H")

SECRET: Final = "hush"
START: Final[Instant] = 1_800_000_000_000
CONNECT: Final = 10 * SECOND
SHOWN: Final = 60 * SECOND
CARD: Final = CardRead(";7090112233654321?", None, "7090112233654321")
KEYRING: Final = Keyring.new()
EVENTS: Final = ("SMARTTERMINAL_REQUEST", "SMARTTERMINAL_TRANSACTION", "TRANSACTION", "TRANSACTION_SIGNATURE", "SETTLEMENT")


@dataclass
class World:
    """A store, the time, a merchant with an account and two devices; and every hint that was published."""

    store: Store
    caller: Caller
    terminals: tuple[str, ...]
    now: Instant = START
    node: str = "node-1"
    hints: list[Hint] = field(default_factory=list)
    publish: Publish | None = None

    def at(self, *, later: int = 0, node: str | None = None) -> Moment:
        return Moment(self.now + later, os.urandom, node or self.node)

    def order(self, terminal: str | None = None, order: Order | None = None, *, interrupt: bool = False) -> StartRequest:
        return StartRequest(terminal or self.terminals[0], 1, order or ReadOrder(), interrupt, CONNECT, SHOWN)

    async def start(self, terminal: str | None = None, order: Order | None = None, *, interrupt: bool = False) -> str:
        return await self.store.jot(start_request, self.at(), self.caller, self.order(terminal, order, interrupt=interrupt))

    async def show(self, request_id: str, terminal: str | None = None) -> int:
        return await self.store.jot(show_request, self.at(), terminal or self.terminals[0], request_id)

    async def finish(
        self, request_id: str, outcome: Outcome = Outcome.CARD_READ, result: Result | None = CARD, terminal: str | None = None
    ) -> None:
        await self.store.jot(finish_request, self.at(), terminal or self.terminals[0], request_id, outcome, result)

    async def view(self, request_id: str) -> RequestView:
        return await self.store.peek(find_request, self.caller.merchant_id, request_id)

    async def state(self, request_id: str) -> tuple[Status, Outcome | None]:
        view = await self.view(request_id)
        return view.status, view.outcome

    async def connect(self, terminal: str | None = None, connection: str = "connection-1") -> None:
        await self.store.jot(connect_terminal, self.at(), terminal or self.terminals[0], connection, "IDLE")

    async def subscribe(
        self, url: str = "https://example.com/hook", secret: str | None = SECRET, *, event: str = "SMARTTERMINAL_REQUEST"
    ) -> Webhook:
        return await self.store.write(create_webhook, self.at(), self.caller, event, url, secret)

    async def listen(self) -> None:
        """From here on somebody wants every event, so that each is written down."""
        for event in EVENTS:
            await self.subscribe("https://example.com/journal", event=event)

    async def rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        return await self.store.read(ask, statement)

    def heard(self, kind: type[H]) -> list[H]:
        return [hint for hint in self.hints if isinstance(hint, kind)]


def ask(unit: Unit, statement: Select[Any]) -> list[tuple[Any, ...]]:
    return unit.all(Query(statement, lambda *row: row))


def named(unit: Unit, name: str) -> str:
    found = unit.one(merchant.FIND_BY_NAME, name=name)
    assert found is not None
    return found.id


async def populate(store: Store, name: str, terminals: int = 2, now: Instant = START) -> tuple[Caller, tuple[str, ...]]:
    """A merchant of this name with so many devices."""
    ids = tuple(str(uuid4()) for _ in range(terminals))
    seeded = SeedMerchant(
        name,
        terminals=[SeedTerminal(1, "Main"), SeedTerminal(2, "Closed", enabled=False)],
        smart_terminals=[SeedSmartTerminal(smart_terminal_id, f"Counter {at}") for at, smart_terminal_id in enumerate(ids)],
    )
    await store.write(apply_seed, Moment(now, os.urandom, "node-1"), Seed([seeded]))
    return Caller(await store.read(named, name), "login-1", NEWEST), ids


@asynccontextmanager
async def opened(url: str, *, max_waiting: int = MAX_WAITING, keyring: Keyring = KEYRING) -> AsyncIterator[World]:
    hints: list[Hint] = []
    world: World | None = None

    def publish(batch: Sequence[Hint]) -> None:
        hints.extend(batch)
        if world is not None and world.publish is not None:
            world.publish(batch)

    store = await open_store(url, Sealer(keyring), publish, max_waiting=max_waiting)
    try:
        caller, terminals = await populate(store, "Corner Books")
        world = World(store, caller, terminals, hints=hints)
        yield world
    finally:
        await store.close()


def other_release(caller: Caller, release: str) -> Caller:
    return replace(caller, release=release)
