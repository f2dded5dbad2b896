"""Puts a test server together: a gateway node, and what only a test server has on top of it.

async with TestServer(settings) as server:
    await server.seed(file)
    await server.serve()
"""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

from countertop.domain.clock import Instant
from countertop.gateway.assembly import Node
from countertop.gateway.clock import SetClock, SystemClock
from countertop.gateway.operations.connection import renew_node
from countertop.gateway.seed import SeedFile
from countertop.gateway.settings import Settings
from countertop.gateway.timers import NODE_LEASE
from countertop.sandbox.bank import Bank
from countertop.sandbox.clock import TestClock
from countertop.sandbox.mail import Outbox
from countertop.sandbox.page import DOOR, Logins, page_routes
from countertop.sandbox.path import TestPaths
from countertop.sandbox.processor import sandbox_acquirer
from countertop.sandbox.virtual import VirtualTerminals


class TestServer:
    """A node with a clock that can be advanced, virtual terminals with their pages, and the `/test` paths."""

    __test__: ClassVar = False

    def __init__(self, settings: Settings) -> None:
        time = SetClock(SystemClock())
        self.clock = TestClock(time)
        own = None if settings.processor_host else sandbox_acquirer
        self.outbox = Outbox()
        mailer = None if settings.smtp_url else self.outbox
        self.node = Node(settings, clock=self.clock, set_clock=time, loopback_webhooks=True, acquirer=own, mailer=mailer)
        self.node.public_url = self.node.public_url or self.node.url  # its mails are read on this machine
        self.terminals = VirtualTerminals(self.node.url, self.clock, self.node.allowlist)

    async def __aenter__(self) -> Self:
        """Opens the store. Raises SettingsError if that is not possible."""
        await self.node.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.terminals.stop()
        await self.node.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Where this server can be reached from this machine."""
        return self.node.url

    async def seed(self, file: SeedFile) -> int:
        """Applies a seed file; returns how many rows that made or changed. Raises SeedError."""
        return await self.node.seed(file)

    async def serve(self) -> None:
        """Starts everything and returns when the virtual terminals are connected."""
        node = self.node
        logins = Logins(node.store, node.passwords)
        await node.serve(
            more_routes=[
                *TestPaths(self.terminals, self.advance).routes(),
                *Bank(node.store, node.moment).routes(),
                *self.outbox.routes(),
            ],
            more_doors={DOOR: page_routes(self.terminals, self.clock, logins)},
        )
        await self.terminals.start(node.store, self.clock.now())

    async def advance(self, milliseconds: int) -> Instant:
        """Puts the clock forward and returns the new time once everything that is due by then has happened."""
        node = self.node
        # The node's sign of life reaches over the leap, or its terminals would seem to have gone.
        await node.store.write(renew_node, node.moment(), NODE_LEASE + milliseconds)
        now = self.clock.advance(milliseconds)
        await node.timers.run_due()
        await node.connections.sweep()
        await node.cashier.drain()
        await node.courier.drain()
        await node.postman.drain()
        return now
