"""A courier with everything real round it: a SQLite store, a bus, sockets, and receivers that misbehave on request."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select

from countertop.domain.clock import Instant
from countertop.domain.delivery import Delivery
from countertop.domain.hint import Hint
from countertop.domain.releases import NEWEST
from countertop.domain.result import CardRead
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.clock import SystemClock
from countertop.gateway.delivery.courier import Courier
from countertop.gateway.delivery.guard import Guard
from countertop.gateway.delivery.lane import Bounds
from countertop.gateway.delivery.sender import Patience, Sender
from countertop.gateway.operations.delivery import Event, record_event
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import codec, table
from countertop.gateway.store.sealing import Keyring, Sealer
from countertop.gateway.store.statement import Command, Query
from countertop.gateway.store.store import Store, open_store
from countertop.gateway.store.unit import Unit
from countertop.sandbox.clock import TestClock
from tests.database import make_database

MERCHANT = "2a161ecf-65df-4964-bc4e-f92743259896"
ACCOUNT = "6598b7ea-7901-4c4f-95bc-ec66d010f68c"
SECRET = "a shared secret"
STATUSES = ("CONNECTING", "IN_PROGRESS", "COMPLETE")


@dataclass(frozen=True)
class StoredAttempt:
    number: int
    status: int | None
    failure: str | None
    answer: bytes
    started: Instant
    duration: int


_INSERT_MERCHANT = Command(insert(table.merchant))
_INSERT_WEBHOOK = Command(insert(table.webhook))
_ATTEMPTS = Query(
    select(
        table.attempt.c.number,
        table.attempt.c.status,
        table.attempt.c.failure,
        table.attempt.c.answer,
        table.attempt.c.started,
        table.attempt.c.duration,
    )
    .where(table.attempt.c.webhook_id == bindparam("webhook_id"))
    .order_by(table.attempt.c.event_id, table.attempt.c.number),
    StoredAttempt,
)
_STATES = Query(select(table.delivery.c.state, table.delivery.c.webhook_id), lambda state, webhook: (webhook, state))


def _subscribe(unit: Unit, at: Moment, url: str, secret: str | None) -> str:
    webhook_id = str(uuid.uuid4())
    sealed = None if secret is None else unit.seal(secret.encode(), codec.WEBHOOK_SECRET)
    unit.run(
        _INSERT_WEBHOOK,
        id=webhook_id,
        merchant_id=MERCHANT,
        event="SMARTTERMINAL_REQUEST",
        url=url,
        sealed_secret=sealed,
        created=at.now,
    )
    return webhook_id


def _tell(unit: Unit, at: Moment, request_id: str, sequence: int) -> None:
    status = STATUSES[sequence - 1]
    result = CardRead(";7090112233654321?", None, "7090112233654321") if status == "COMPLETE" else None
    record_event(
        unit,
        at,
        Event(
            merchant_id=MERCHANT,
            account_id=ACCOUNT,
            type="SMARTTERMINAL_REQUEST",
            subject_id=request_id,
            sequence=sequence,
            release=NEWEST,
            data={"status": status} | ({"outcome": "CARD_READ"} if status == "COMPLETE" else {}),
            result=result,
            sealed_result=None if result is None else unit.seal(codec.write_result(result), codec.RESULT),
        ),
    )


class Office:
    """A gateway's part that sends webhooks, over one database file; opened anew it carries on."""

    def __init__(self, folder: Path, clock: TestClock, sealer: Sealer) -> None:
        self.folder = folder
        self.clock = clock
        self.sealer = sealer
        self.bus = LocalBus()
        self.store: Store
        self._closing = AsyncExitStack()

    async def open(self) -> None:
        self.store = await open_store(f"sqlite:///{self.folder / 'test.db'}", self.sealer, self.publish)
        self._closing.push_async_callback(self.store.close)

    def publish(self, hints: Sequence[Hint]) -> None:
        self.bus.publish(hints)

    async def close(self) -> None:
        await self._closing.aclose()

    def sender(self, patience: Patience | None = None) -> Sender:
        return Sender(Guard(loopback=True), patience=patience or Patience(2, 5))

    async def courier(self, *, patience: Patience | None = None, bounds: Bounds | None = None, **more: Any) -> Courier:
        """A running courier; it is stopped when the office closes, at the latest."""
        sender = self.sender(patience)
        courier = Courier(self.store, self.clock, self.bus, sender, node_id="one", bounds=bounds, **more)
        await courier.start()
        self._closing.push_async_callback(courier.stop, 0)
        return courier

    def moment(self) -> Moment:
        return Moment(self.clock.now(), os.urandom, "one")

    async def subscribe(self, url: str, secret: str | None = SECRET) -> str:
        return await self.store.write(_subscribe, self.moment(), url, secret)

    async def tell(self, request_id: str | None = None, sequence: int = 1) -> str:
        """A request changed; returns its id."""
        request_id = request_id or str(uuid.uuid4())
        await self.store.write(_tell, self.moment(), request_id, sequence)
        return request_id

    async def live(self) -> str:
        """A whole life of a request."""
        request_id = await self.tell(None, 1)
        await self.tell(request_id, 2)
        return await self.tell(request_id, 3)

    async def attempts(self, webhook_id: str) -> list[StoredAttempt]:
        return await self.store.read(lambda unit: unit.all(_ATTEMPTS, webhook_id=webhook_id))

    async def states(self, webhook_id: str) -> list[str]:
        rows = await self.store.read(lambda unit: unit.all(_STATES))
        return [state for webhook, state in rows if webhook == webhook_id]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(SystemClock())


@pytest.fixture
async def office(tmp_path: Path, clock: TestClock) -> AsyncIterator[Office]:
    make_database(tmp_path / "test.db")
    office = Office(tmp_path, clock, Sealer(Keyring.new()))
    await office.open()
    await office.store.write(
        lambda unit: unit.run(_INSERT_MERCHANT, id=MERCHANT, name="Corner Books", created=office.clock.now())
    )
    yield office
    await office.close()


async def until(condition: Callable[[], object]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nothing tells when it comes about
            await asyncio.sleep(0.005)


DELIVERY = Delivery(
    event_id="0198c0de-0000-7000-8000-000000000001",
    webhook_id="w",
    merchant_id=MERCHANT,
    account_id=ACCOUNT,
    type="SMARTTERMINAL_REQUEST",
    created=1_519_158_601_756,
    release=NEWEST,
    subject_id="7a3f12d5-0c40-4e8a-9b6a-6c1f2d3e4a5b",
    sequence=1,
    data={"status": "CONNECTING"},
    result=None,
    url="",
    secret=SECRET,
    attempts=0,
)


def delivery_to(url: str, **changes: Any) -> Delivery:
    return replace(DELIVERY, url=url, **changes)


async def settled(courier: Courier) -> None:
    """Returns when the courier has nothing in hand."""
    await until(lambda: courier.in_hand == 0)
