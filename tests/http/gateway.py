"""A gateway as small as the API allows: a real SQLite store, the real server, nothing that delivers or shows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from countertop.domain.releases import OLDEST
from countertop.domain.request import Outcome
from countertop.domain.result import Result
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.clock import SystemClock
from countertop.gateway.delivery.guard import Guard
from countertop.gateway.door import Doors
from countertop.gateway.http.api import Api, make_api
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.mail.port import Mailer
from countertop.gateway.mail.postman import Postman
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.request import finish_request, show_request
from countertop.gateway.operations.seed import Seed, SeedKey, SeedLogin, SeedMerchant, SeedSmartTerminal, SeedTerminal, apply_seed
from countertop.gateway.operations.settlement import settle_terminals
from countertop.gateway.password import PasswordCheck, hash_password
from countertop.gateway.server import Listener
from countertop.gateway.settings import Settings
from countertop.gateway.store import merchant, request
from countertop.gateway.store.request import StoredRequest
from countertop.gateway.store.sealing import Keyring, Sealer
from countertop.gateway.store.store import Store, open_store
from countertop.gateway.store.unit import Unit
from countertop.sandbox.clock import TestClock
from countertop.sandbox.mail import Outbox
from countertop.sandbox.processor import sandbox_acquirer
from tests.database import make_database
from tests.http.harness import (
    FOREIGN_KEY,
    FOREIGN_LOGIN,
    FOREIGN_TERMINAL,
    IDLE_TERMINAL,
    KEY,
    LOGIN,
    OLD_KEY,
    PASSWORD,
    SMART_TERMINAL,
    Client,
)


@dataclass
class Gateway:
    """A running gateway, and what a test may do behind its back."""

    store: Store
    clock: TestClock
    api: Api
    parts: ApiParts
    client: Client
    cashier: Cashier
    outbox: Outbox
    postman: Postman

    def now(self) -> Moment:
        return Moment(self.clock.now(), os.urandom, "node")

    async def show(self, request_id: str, terminal: str = SMART_TERMINAL) -> None:
        """The terminal shows a request."""
        await self.store.write(show_request, self.now(), terminal, request_id)

    async def finish(self, request_id: str, outcome: Outcome, result: Result | None = None) -> None:
        """The customer acts."""
        await self.show(request_id)
        await self.store.write(finish_request, self.now(), SMART_TERMINAL, request_id, outcome, result)

    async def running(self, terminal: str = SMART_TERMINAL) -> str | None:
        """The request that runs at a terminal."""
        found = await self.store.read(_running, terminal)
        return None if found is None else found.rules.id

    async def settle(self) -> None:
        """The night comes: everything so far is settled, and the processor has taken it."""
        self.clock.advance(1000)
        await self.store.write(settle_terminals, self.now(), self.clock.now(), 100)
        await self.cashier.drain()

    async def set_password(self, login: str, password: str) -> None:
        """The operator gives a login another password."""
        await self.store.write(_set_password, login, _password_hash(password))

    async def forget_login(self, login: str) -> None:
        """The operator takes a login's password away."""
        await self.store.write(_set_password, login, "")


def _running(unit: Unit, terminal: str) -> StoredRequest | None:
    return unit.one(request.FIND_RUNNING, smart_terminal_id=terminal)


def _set_password(unit: Unit, name: str, password_hash: str) -> None:
    login = unit.one(merchant.FIND_LOGIN, login=name)
    assert login is not None
    unit.run(merchant.CHANGE_LOGIN, login_id=login.id, password_hash=password_hash)


def _hash_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


@cache
def _password_hash(password: str) -> str:
    return hash_password(password)


def _seed() -> Seed:
    return Seed(
        [
            SeedMerchant(
                "Corner Books",
                [SeedLogin(LOGIN, _password_hash(PASSWORD))],
                [SeedKey(_hash_key(KEY)), SeedKey(_hash_key(OLD_KEY), OLDEST)],
                [
                    SeedTerminal(1, "Main", surcharge_rate=3000, merchant_number="000012345678", is_default=True, level3=True),
                    SeedTerminal(2, "Café", type="ACH", company_dba="Corner Café"),
                    SeedTerminal(3, "Closed", enabled=False),
                ],
                [SeedSmartTerminal(SMART_TERMINAL, "Counter 1", "SN-1"), SeedSmartTerminal(IDLE_TERMINAL, "Counter 2", "SN-2")],
            ),
            SeedMerchant(
                "Other",
                [SeedLogin(FOREIGN_LOGIN, _password_hash(PASSWORD))],
                [SeedKey(_hash_key(FOREIGN_KEY))],
                [SeedTerminal(9, "Elsewhere")],
                [SeedSmartTerminal(FOREIGN_TERMINAL, "Elsewhere")],
            ),
        ]
    )


GENEROUS: Final[dict[str, Any]] = {
    "poll_interval": 0,
    "rate": 100_000.0,
    "burst": 100_000,
    "connect_deadline": 10_000,
    "request_deadline": 60_000,
}
"""Limits that no test meets by accident."""


@asynccontextmanager
async def running_gateway(
    folder: Path, *, change: Callable[[ApiParts], ApiParts] = lambda parts: parts, mailer: Mailer | None = None, **limits: Any
) -> AsyncIterator[Gateway]:
    """A gateway with a port and an outbox of its own. `limits` are members of `ApiParts`; `change` may replace others."""
    bus = LocalBus()
    sealer = Sealer(Keyring.new())
    store = await open_store(f"sqlite:///{make_database(folder / 'countertop.db')}", sealer, bus.publish)
    clock = TestClock(SystemClock())
    acquirer, outbox = sandbox_acquirer(sealer), Outbox()
    cashier = Cashier(store, clock, bus, acquirer.processor, node_id="node")
    postman = Postman(store, clock, bus, mailer or outbox, node_id="node")  # by itself it does not look for mails
    passwords = PasswordCheck()
    parts = change(
        ApiParts(
            store=store,
            clock=clock,
            bus=bus,
            random=os.urandom,
            node_id="node",
            passwords=passwords,
            check_url=Guard(loopback=True, resolve=_resolve).fault,
            acquirer=acquirer,
            send_mail=postman.hurry,
            **(GENEROUS | limits),
        )
    )
    await store.write(apply_seed, parts.moment(), _seed())
    api = make_api(parts)
    listener = Listener(Settings(port=0))
    await cashier.start()
    await listener.start(doors := Doors(api, {}), doors.answer)
    try:
        yield Gateway(store, clock, api, parts, Client(listener.url), cashier, outbox, postman)
    finally:
        api.close()
        await listener.stop()
        await cashier.stop()
        await postman.stop()
        await store.close()
        passwords.close()


async def _resolve(_: str) -> list[str]:
    return ["93.184.215.14"]
