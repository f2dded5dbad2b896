"""The terminals that are connected to this node.

Hints bring them what concerns them at once. A sweep finds what hints have missed: requests that nobody has shown, ends that
nobody was told of, connections that were replaced at another node. Each of its questions is asked once for all terminals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final, TypeVar

import structlog

from countertop.domain.clock import SECOND
from countertop.domain.errors import NotFound
from countertop.domain.hint import ClearHint, ConnectionHint, DecidedHint, ShowHint
from countertop.gateway.bucket import Bucket
from countertop.gateway.devices.channel import Channel, Gone
from countertop.gateway.devices.parts import Parts
from countertop.gateway.operations.connection import (
    Running,
    connect_terminal,
    disconnect_terminal,
    note_screens,
    running_requests,
    superseded_connections,
    waiting_requests,
)
from countertop.gateway.operations.payment import find_decided, terminal_fingerprint_key
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.task import end
from countertop.protocol.screens import Screen
from countertop.protocol.session import CloseCode, Violation

SWEEP: Final = 2 * SECOND
"""How often missed hints are looked for."""
NOTE_SECONDS: Final = 0.2
"""How long a changed screen waits for others before it is written down with them: a commit for all of them."""
THOROUGH: Final = 15
"""Every so many sweeps, connections that were replaced at another node are looked for: a question about each terminal."""
SETTLED: Final = 2 * SECOND
"""How long after a push the sweep may doubt that it arrived."""
AT_ONCE: Final = 256
"""Terminals asked for or written down at a time."""
COMING: Final = 1.0
"""How often a second a terminal may connect for long: each time is two commits, and whatever it says may end the connection."""
MOST_COMING: Final = 10
"""How often at once. One whose network comes and goes needs no more."""
TRY_AGAIN_LATER: Final = 1013
"""Close code (IANA's registry) of a gateway that cannot serve just now."""

T = TypeVar("T")

_log = structlog.stdlib.get_logger(__name__)


class Connections:
    """The channels of this node, by terminal; of each terminal the newest."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._channels: dict[str, Channel] = {}
        self._changed: dict[str, Channel] = {}
        self._noting: asyncio.Task[None] | None = None
        self._gone: dict[str, str] = {}
        self._coming: dict[str, Bucket] = {}
        self._asked: set[str] = set()
        self._asked_decided: set[str] = set()
        self._asking: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._unsubscribe: list[Callable[[], None]] = []
        self.open = True
        """Whether terminals may connect; not any more once the node stops."""

    def __len__(self) -> int:
        """How many terminals are connected here."""
        return len(self._channels)

    def start(self) -> None:
        """Begins to listen to hints and to sweep."""
        bus = self._parts.bus
        self._unsubscribe = [
            bus.subscribe(ShowHint, self._on_show),
            bus.subscribe(ClearHint, self._on_clear),
            bus.subscribe(ConnectionHint, self._on_connection),
            bus.subscribe(DecidedHint, self._on_decided),
        ]
        self._sweeping = asyncio.create_task(self._sweep_on())

    async def stop(self) -> None:
        """Asks every terminal to connect elsewhere, or here a little later; returns when their ends are written down."""
        self.open = False
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        await end(task for task in (self._sweeping, self._asking, self._noting) if task is not None)
        self._gone.update((channel.terminal_id, channel.id) for channel in self._channels.values())
        for channel in tuple(self._channels.values()):
            channel.close(CloseCode.STOPPING, "the gateway stops")
        self._channels.clear()
        await self._write_down()

    def admit(self, terminal_id: str) -> float:
        """Counts a terminal's wish to connect. Returns 0, or in how many seconds it may come, if it has come too often."""
        now = asyncio.get_running_loop().time()
        bucket = self._coming.get(terminal_id)
        if bucket is None:
            bucket = self._coming[terminal_id] = Bucket(COMING, MOST_COMING, now)
        return bucket.take(now)

    async def serve(self, channel: Channel) -> None:
        """Serves one connection, accepted already, from its `hello` to its end."""
        try:
            hello = await channel.first()
            if self._parts.acquirer is not None:
                channel.fingerprint_key = await self._parts.store.peek(terminal_fingerprint_key, channel.terminal_id)
            self._enter(channel)
            greeting = await self._parts.store.jot(
                connect_terminal, self._parts.moment(), channel.terminal_id, channel.id, channel.screen
            )
            channel.greet(hello, greeting)
            if greeting.running is not None and greeting.running.card_taken:
                await self._tell_decided([channel.terminal_id])
            await channel.converse()
        except Gone:
            pass
        except Violation as broken:
            _log.warning("a terminal broke the rules", terminal=channel.terminal_id, reason=broken.reason)
            channel.close(broken.code, broken.reason)
        except NotFound:
            channel.close(CloseCode.ILLEGAL, "there is no such terminal any more")
        except Unavailable:
            channel.close(TRY_AGAIN_LATER, "the gateway cannot serve just now")
        finally:
            await channel.closed()  # the server cuts the connection as soon as this returns
            await self._leave(channel)

    def note(self, channel: Channel) -> None:
        """A terminal's screen has changed: it is written down a moment later."""
        self._changed[channel.terminal_id] = channel
        if self._noting is None:
            self._noting = asyncio.create_task(self._note_soon())

    async def sweep(self) -> None:
        """Finds what hints have missed, once."""
        if self._channels:
            await self._show_waiting()
            await self._clear_ended()
            await self._tell_decided(self._processing())
        await self._write_down()

    # Coming and going.

    def _enter(self, channel: Channel) -> None:
        older = self._channels.get(channel.terminal_id)
        self._channels[channel.terminal_id] = channel
        if older is not None:
            older.close(CloseCode.REPLACED, "the terminal has connected anew")

    async def _leave(self, channel: Channel) -> None:
        if self._channels.get(channel.terminal_id) is not channel:
            return  # replaced; its successor has written the row over
        del self._channels[channel.terminal_id]
        self._changed.pop(channel.terminal_id, None)
        self._gone[channel.terminal_id] = channel.id
        await self._write_gone({channel.terminal_id: channel.id})

    # Hints.

    def _on_show(self, hint: ShowHint) -> None:
        channel = self._channels.get(hint.smart_terminal_id)
        if channel is None:
            return
        if hint.order is not None and hint.remaining is not None:
            channel.show(hint.request_id, hint.order, hint.remaining)
            return
        self._asked.add(hint.smart_terminal_id)
        self._start_asking()

    def _on_clear(self, hint: ClearHint) -> None:
        channel = self._channels.get(hint.smart_terminal_id)
        if channel is not None:
            channel.clear(hint.request_id)

    def _on_connection(self, hint: ConnectionHint) -> None:
        channel = self._channels.get(hint.smart_terminal_id)
        if channel is not None and channel.id < hint.connection_id:
            channel.close(CloseCode.REPLACED, "the terminal has connected anew")

    def _on_decided(self, hint: DecidedHint) -> None:
        channel = self._channels.get(hint.smart_terminal_id)
        if channel is None:
            return
        if hint.decided is not None:
            channel.decide(hint.request_id, hint.decided)
            return
        self._asked_decided.add(hint.smart_terminal_id)
        self._start_asking()

    def _start_asking(self) -> None:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        """Looks up what hints from other nodes announced; those that come meanwhile are asked for together."""
        try:
            while self._asked or self._asked_decided:
                asked, self._asked = self._asked, set()
                for request in await self._running(asked):
                    self._show(request)
                decided, self._asked_decided = self._asked_decided, set()
                await self._tell_decided(decided)
        except Unavailable:
            pass  # the sweep finds them
        finally:
            self._asking = None

    # The sweep.

    async def _sweep_on(self) -> None:
        clock = self._parts.clock
        for turn in count(1):
            await clock.sleep_until(clock.now() + SWEEP)
            try:
                await self.sweep()
                if turn % THOROUGH == 0:
                    await self.close_superseded()
            except Unavailable as trouble:
                _log.warning("the sweep has to wait", reason=str(trouble))
            except Exception:
                _log.exception("the sweep failed")

    async def close_superseded(self) -> None:
        """Ends connections whose terminal has a newer one at another node."""
        held = {channel.terminal_id: channel.id for channel in self._channels.values() if channel.welcomed}
        for some in _batched(held):
            asked = {terminal_id: held[terminal_id] for terminal_id in some}
            for terminal_id in await self._parts.store.read(superseded_connections, self._parts.node_id, asked):
                channel = self._channels.get(terminal_id)
                if channel is not None and channel.id == held[terminal_id]:
                    channel.close(CloseCode.REPLACED, "the terminal has connected anew")

    async def _show_waiting(self) -> None:
        for request in await self._parts.store.read(waiting_requests, self._parts.clock.now()):
            self._show(request)

    async def _clear_ended(self) -> None:
        """Ends on the screens what has ended in the store."""
        showing = {
            channel.terminal_id: channel.pushed.request_id
            for channel in self._channels.values()
            if channel.pushed is not None and self._settled(channel)
        }
        running = {request.smart_terminal_id: request.request_id for request in await self._running(showing)}
        for terminal_id, request_id in showing.items():
            channel = self._channels.get(terminal_id)
            if running.get(terminal_id) != request_id and channel is not None:
                channel.clear(request_id)

    def _processing(self) -> list[str]:
        """The terminals that wait for a decision: the hint of it may have been lost."""
        return [channel.terminal_id for channel in self._channels.values() if channel.screen is Screen.PROCESSING]

    async def _tell_decided(self, terminal_ids: Iterable[str]) -> None:
        for some in _batched(terminal_ids):
            for hint in await self._parts.store.read(find_decided, some):
                channel = self._channels.get(hint.smart_terminal_id)
                if channel is not None and hint.decided is not None:
                    channel.decide(hint.request_id, hint.decided)

    async def _running(self, terminal_ids: Iterable[str]) -> list[Running]:
        found: list[Running] = []
        for some in _batched(terminal_ids):
            found += await self._parts.store.read(running_requests, self._parts.clock.now(), some)
        return found

    def _show(self, request: Running) -> None:
        channel = self._channels.get(request.smart_terminal_id)
        if channel is None:
            return
        known = channel.pushed is not None and channel.pushed.request_id == request.request_id
        if not known or self._settled(channel):
            channel.show(request.request_id, request.order, request.remaining, card_taken=request.card_taken)

    def _settled(self, channel: Channel) -> bool:
        return channel.pushed is None or self._parts.clock.now() - channel.pushed.at >= SETTLED

    # What is written down a little later.

    async def _write_down(self) -> None:
        await self._write_screens()
        await self._write_gone(dict(self._gone))

    async def _note_soon(self) -> None:
        await asyncio.sleep(NOTE_SECONDS)
        self._noting = None
        await self._write_screens()

    async def _write_screens(self) -> None:
        """Writes changed screens down; those that cannot be written now are tried again by the next sweep."""
        changed, self._changed = self._changed, {}
        for some in _batched(changed.values()):
            screens = [(channel.terminal_id, channel.id, channel.screen.value) for channel in some]
            try:
                await self._parts.store.jot_soon(note_screens, self._parts.moment(), screens)
            except Unavailable:
                self._changed = {channel.terminal_id: channel for channel in some} | self._changed

    async def _write_gone(self, gone: dict[str, str]) -> None:
        """Writes ends down; one that cannot be written now is tried again by the next sweep."""
        for some in _batched(gone.items()):
            await asyncio.gather(*(self._write_end(*entry) for entry in some))

    async def _write_end(self, terminal_id: str, connection_id: str) -> None:
        try:
            await self._parts.store.jot_soon(disconnect_terminal, self._parts.moment(), terminal_id, connection_id)
        except Unavailable:
            return
        if self._gone.get(terminal_id) == connection_id:
            del self._gone[terminal_id]


def _batched(things: Iterable[T]) -> Iterator[list[T]]:
    whole = list(things)
    for start in range(0, len(whole), AT_ONCE):
        yield whole[start : start + AT_ONCE]
