"""Puts a node together: the one place that knows all parts. A test server adds its own on top (`countertop.sandbox.assembly`).

async with Node(settings) as node:
    await node.serve()
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Final, Self

import structlog
from starlette.routing import BaseRoute

from countertop.domain.clock import DAY, SECOND, Clock
from countertop.domain.ids import RandomBytes, ordered_uuid, stocked
from countertop.domain.invitation import LIFE, Invitation, write_invitation
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.bus.port import Bus
from countertop.gateway.card_range import load_allowlist
from countertop.gateway.cashier import Cashier
from countertop.gateway.clock import SetClock, SystemClock
from countertop.gateway.console.assembly import make_console
from countertop.gateway.console.parts import Parts as ConsoleParts
from countertop.gateway.database_time import DatabaseTime
from countertop.gateway.delivery.courier import Courier
from countertop.gateway.delivery.guard import Guard
from countertop.gateway.delivery.sender import Sender
from countertop.gateway.devices.assembly import make_devices
from countertop.gateway.devices.connections import Connections
from countertop.gateway.devices.parts import Parts as DeviceParts
from countertop.gateway.door import Doors
from countertop.gateway.health import Health
from countertop.gateway.http.api import Api, make_api
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Route
from countertop.gateway.key_watch import KeyWatch
from countertop.gateway.mail.port import Mailer
from countertop.gateway.mail.postman import Postman
from countertop.gateway.mail.smtp import configured_mailer
from countertop.gateway.metrics import Metrics
from countertop.gateway.operations.connection import retire_lost_nodes
from countertop.gateway.operations.delivery import take_up_deliveries
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.work import take_up_work
from countertop.gateway.password import PasswordCheck
from countertop.gateway.processors.absent import AbsentProcessor
from countertop.gateway.processors.acquirer import Acquirer, configured_acquirer
from countertop.gateway.seed import SeedFile, plant
from countertop.gateway.server import Listener
from countertop.gateway.settings import Settings, SettingsError
from countertop.gateway.signing.page import Parts as SigningParts
from countertop.gateway.signing.page import SigningPage
from countertop.gateway.sole import SoleNode
from countertop.gateway.store.sealing import KeyFileUnusable, Sealer, load_keyring
from countertop.gateway.store.store import Publish, Store, open_store
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.timers import SettlementTime, Timers

DEVICES: Final = "terminal"
CONSOLE: Final = "pair"
SIGNING: Final = "sign"
"""First segments of the paths that terminals, operators, and those who sign from afar use."""
INVITATION: Final = "invitation to sign"
"""The purpose of the key that invitations are made with."""

MakeAcquirer = Callable[[Sealer], Acquirer]
"""Makes the processor that a test server has in itself, with keys out of the node's own."""

_log = structlog.stdlib.get_logger(__name__)


class Node:
    """One gateway node: enter it, then let it serve. Leaving it stops its parts, the door first and the store last.

    `set_clock` is kept in step with the database's; a `clock` on top of it, `loopback_webhooks`, which go to this machine, are
    for a test server only. It has an `acquirer` and a `mailer` of its own, too, where others have those that the settings name.
    """

    clock: Clock
    store: Store
    bus: Bus
    courier: Courier
    cashier: Cashier
    postman: Postman
    timers: Timers
    connections: Connections
    passwords: PasswordCheck

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        set_clock: SetClock | None = None,
        loopback_webhooks: bool = False,
        acquirer: MakeAcquirer | None = None,
        mailer: Mailer | None = None,
    ) -> None:
        self.settings = settings
        self._set_clock = set_clock or SetClock(SystemClock())
        self.clock = clock or self._set_clock
        self.random: RandomBytes = stocked(os.urandom)
        self.id: Final = ordered_uuid(self.clock.now(), self.random)
        self.metrics = Metrics()
        self._guard = Guard(loopback=loopback_webhooks)
        self.allowlist = load_allowlist(settings.allowlist, settings.allowlist_key)
        self._listener = Listener(settings)
        self._make_acquirer = acquirer
        self._mailer = mailer or configured_mailer(settings)
        self.public_url = settings.public_url and settings.public_url.rstrip("/")
        self.acquirer: Acquirer | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Opens the store. Raises SettingsError if that is not possible."""
        self._open.push_async_callback(self._listener.stop)
        self.passwords = PasswordCheck()
        self._open.callback(self.passwords.close)
        self.bus = _make_bus(self.settings, self.id)
        try:
            self._sealer = open_sealer(self.settings)
            own = self._make_acquirer
            self.acquirer = configured_acquirer(self.settings) if own is None else own(self._sealer)
            self.store = await self._open.enter_async_context(opened_store(self.settings, self._sealer, self.bus.publish))
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._open.aclose()
        _log.info("stopped", node=self.id)

    @property
    def url(self) -> str:
        """Where this node can be reached from this machine."""
        return self._listener.url

    def moment(self) -> Moment:
        """Here and now, for an operation."""
        return Moment(self.clock.now(), self.random, self.id)

    async def seed(self, file: SeedFile) -> int:
        """Applies a seed file; returns how many rows that made or changed. Raises SeedError."""
        return await plant(self.store, file, self.moment)

    async def serve(self, more_routes: Sequence[Route] = (), more_doors: Mapping[str, Sequence[BaseRoute]] | None = None) -> None:
        """Starts all parts, then listens.

        `more_routes` are more of the API's resources, `more_doors` other routes by the first segment of their paths.
        """
        await self._start_workers()
        own = {DEVICES: self._open_to_devices(), CONSOLE: self._make_console(), SIGNING: self._make_signing_page()}
        doors = {**own, **(more_doors or {})}
        api = self._make_api(more_routes)
        self._open.push_async_callback(self._listener.stop)
        self._open.callback(api.close)
        self._watch()
        entrance = Doors(api, doors)
        await self._listener.start(entrance, entrance.answer)
        _log.info("serving", node=self.id, server=self.settings.server, url=self.url)

    async def _start_workers(self) -> None:
        await self.bus.start()
        self._open.push_async_callback(self.bus.stop)
        time_of_day = DatabaseTime(self.store, self._set_clock)
        await time_of_day.start()
        watch = KeyWatch(self.settings.key_file, self._sealer)
        watch.start()
        self._open.push_async_callback(watch.stop)
        self._open.push_async_callback(time_of_day.stop)
        if not self.store.shared and self._open.enter_context(SoleNode(self.settings.data)).sole:
            await self._succeed()
        # Whatever still makes deliveries stops before the courier, or they would stay in the hands of a node that is gone.
        self.courier = Courier(
            self.store, self.clock, self.bus, Sender(self._guard), node_id=self.id, observe=self.metrics.attempted
        )
        await self.courier.start()
        self._open.push_async_callback(self.courier.stop)
        time = SettlementTime(self.settings.settlement_hour, self.settings.settlement_time_zone)
        self.timers = Timers(self.store, self.clock, self.id, self.random, time)
        await self.timers.start()
        self._open.push_async_callback(self.timers.stop)
        await self._start_cashier()
        await self._start_postman()

    async def _succeed(self) -> None:
        """Takes the place of a node that may have died: its leases need not be waited for."""
        with suppress(Unavailable):
            await self.store.write(retire_lost_nodes, self.moment(), -DAY)
            await self.store.write(take_up_deliveries, self.moment())
            await self.store.write(take_up_work, self.moment())

    async def _start_cashier(self) -> None:
        processor = AbsentProcessor() if self.acquirer is None else self.acquirer.processor
        await processor.start()
        self._open.push_async_callback(processor.stop)
        self.cashier = Cashier(self.store, self.clock, self.bus, processor, node_id=self.id, random=self.random)
        await self.cashier.start()
        self._open.push_async_callback(self.cashier.stop)

    async def _start_postman(self) -> None:
        zone = self.settings.settlement_time_zone
        link = None if self.public_url is None else self._invite
        self.postman = Postman(
            self.store, self.clock, self.bus, self._mailer, node_id=self.id, zone=zone, link=link, random=self.random
        )
        await self.postman.start()
        self._open.push_async_callback(self.postman.stop)

    def _invite(self, merchant_id: str, transaction_id: int) -> str:
        """The address of a page on which a receipt can be signed, for as long as the invitation holds."""
        invitation = Invitation(merchant_id, transaction_id, self.clock.now() + LIFE)
        return f"{self.public_url}/{SIGNING}/{write_invitation(self._sealer.derive(INVITATION), invitation)}"

    def _make_signing_page(self) -> list[BaseRoute]:
        key, zone = self._sealer.derive(INVITATION), self.settings.settlement_time_zone
        return SigningPage(SigningParts(self.store, self.clock, self.random, self.id, key, zone)).routes()

    def _open_to_devices(self) -> list[BaseRoute]:
        parts = DeviceParts(
            self.store, self.bus, self.clock, self.random, self.id, self.settings.server, self.allowlist, self.acquirer
        )
        devices = make_devices(parts)
        self.connections = devices.connections
        self.connections.start()
        self._open.push_async_callback(self.connections.stop)
        return devices.routes

    def _make_console(self) -> list[BaseRoute]:
        return make_console(ConsoleParts(self.store, self.clock, self.random, self.id, self.passwords, self._sealer))

    def _make_api(self, more_routes: Sequence[Route]) -> Api:
        settings = self.settings
        health = Health(self.store, self.bus, self.metrics, self.moment)
        return make_api(
            ApiParts(
                store=self.store,
                clock=self.clock,
                bus=self.bus,
                random=self.random,
                node_id=self.id,
                passwords=self.passwords,
                check_url=self._guard.fault,
                connect_deadline=settings.connect_deadline_ms,
                request_deadline=settings.request_deadline_ms,
                poll_interval=round(settings.poll_interval * SECOND),
                rate=settings.rate_limit.per_second,
                burst=settings.rate_limit.burst,
                observe=self.metrics.answered,
                more_routes=[*health.routes(), *more_routes],
                acquirer=self.acquirer,
                send_mail=None if self._mailer is None else self.postman.hurry,
                zone=settings.settlement_time_zone,
            )
        )

    def _watch(self) -> None:
        watch = self.metrics.watch
        watch("countertop_terminals_connected", "Terminals connected to this node", lambda: len(self.connections))
        watch(
            "countertop_payments_in_hand",
            "Payments that this node speaks to the processor about",
            lambda: self.cashier.in_hand,
        )
        watch("countertop_mails_in_hand", "Receipts that this node is mailing", lambda: self.postman.in_hand)
        watch("countertop_store_waiting", "Writes that wait for their commit", lambda: self.store.waiting)
        watch(
            "countertop_deliveries_in_hand",
            "Deliveries that this node waits to send, sends or records",
            lambda: self.courier.in_hand,
        )


def open_sealer(settings: Settings) -> Sealer:
    """What seals with the keys that the settings name; at the first start they, and the data directory, are made.

    Raises SettingsError if that is not possible.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Sealer(load_keyring(settings.key_file))
    except OSError as error:
        raise SettingsError(f"DATA: {settings.data} cannot be used: {error.strerror}") from None
    except KeyFileUnusable as error:
        raise SettingsError(f"SECRET_KEY_FILE: {error}") from None


@asynccontextmanager
async def opened_store(settings: Settings, sealer: Sealer, publish: Publish) -> AsyncIterator[Store]:
    """The store that the settings name, closed in the end. Raises SettingsError if it cannot be opened."""
    try:
        store = await open_store(settings.database, sealer, publish)
    except Unavailable as error:
        raise SettingsError(f"{'DATABASE_URL' if settings.database_url else 'DATA'}: {error}") from None
    try:
        yield store
    finally:
        await store.close()


def _make_bus(settings: Settings, node_id: str) -> Bus:
    if settings.bus_url is None:
        return LocalBus()
    from countertop.gateway.bus.nats import NatsBus  # noqa: PLC0415 - a fifth of the start's time, for those who want it

    return NatsBus(settings.bus_url.get_secret_value(), node_id)
