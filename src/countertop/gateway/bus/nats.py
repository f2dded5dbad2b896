"""Hints between nodes over NATS (core NATS: at most once, which is all that a hint needs).

Own listeners are told in the process, as on a single node; what concerns other nodes is queued and sent by a task, many hints in
one message when many are waiting. While NATS is gone the newest `QUEUE` hints are kept and nobody waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from countertop.domain.errors import NotReadable
from countertop.domain.hint import Hint
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.bus.message import Item, decode, encode, to_item
from countertop.gateway.bus.port import H, Unsubscribe

_log = structlog.stdlib.get_logger(__name__)

QUEUE: Final = 10_000
"""Hints that wait for NATS; of more, the oldest are dropped."""
MESSAGE: Final = 1_000
"""Hints in one message, which keeps it far below the server's limit of 1 MiB."""
RETRY_S: Final = 1
GOODBYE_S: Final = 1.0


class NatsBus:
    """The bus of a node among others.

    `url` is `nats://[user:password@]host[:port]`, or several with commas between. `subject` sets clusters apart that share a
    NATS server.
    """

    def __init__(self, url: str, node_id: str, subject: str = "countertop.hints") -> None:
        self._servers = url.split(",")
        self._node_id = node_id
        self._subject = subject
        self._local = LocalBus()
        self._queue: deque[Item] = deque(maxlen=QUEUE)
        self._queued = asyncio.Event()
        self._connected = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._client = Client()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        """Whether NATS is connected just now."""
        return self._connected.is_set()

    async def start(self) -> None:
        """Begins to connect, and goes on for ever. Returns at once."""
        self._tasks = [asyncio.create_task(self._stay_connected()), asyncio.create_task(self._send_queued())]

    async def stop(self) -> None:
        """Hands over what was published, if NATS is there, and closes the connection."""
        if self.ready:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._hang_up()

    def publish(self, hints: Sequence[Hint]) -> None:
        """Tells every listener here, and queues what concerns other nodes."""
        for hint in hints:
            item = to_item(hint)
            if item is not None:
                self._queue.append(item)
        if self._queue:
            self._idle.clear()
            self._queued.set()
        self._local.publish(hints)

    def subscribe(self, kind: type[H], listener: Callable[[H], None]) -> Unsubscribe:
        """Calls `listener` with each hint of the class `kind`, from this node and from others."""
        return self._local.subscribe(kind, listener)

    async def _stay_connected(self) -> None:
        # The client reconnects by itself after a lost connection. It ends for good when the server refuses it, as for a wrong
        # password or when it shuts down: then a new one is made.
        while True:
            closed = asyncio.Event()
            try:
                await self._connect(closed)
                await closed.wait()
            except (OSError, NatsError, TimeoutError) as error:
                _log.warning("no connection to NATS", error=type(error).__name__)
            except Exception:
                _log.exception("the connection to NATS failed")
            self._connected.clear()
            await self._hang_up()
            await asyncio.sleep(RETRY_S)

    async def _connect(self, closed: asyncio.Event) -> None:
        self._client = client = Client()

        async def on_closed() -> None:
            closed.set()

        await client.connect(
            servers=self._servers,
            name=f"countertop {self._node_id}",
            no_echo=True,
            connect_timeout=2,
            reconnect_time_wait=RETRY_S,
            max_reconnect_attempts=-1,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_connected,
            closed_cb=on_closed,
        )
        await client.subscribe(self._subject, cb=self._on_message)
        await client.flush()
        await self._on_connected()

    async def _hang_up(self) -> None:
        with contextlib.suppress(Exception):  # whatever state it is in, it is not used again
            async with asyncio.timeout(GOODBYE_S):
                await self._client.close()

    async def _send_queued(self) -> None:
        while True:
            await self._queued.wait()
            await self._connected.wait()
            taken = [self._queue.popleft() for _ in range(min(MESSAGE, len(self._queue)))]
            try:
                await self._client.publish(self._subject, encode(self._node_id, dict.fromkeys(taken)))
            except (OSError, NatsError) as error:
                _log.debug("hints were lost", error=type(error).__name__, count=len(taken))
            if not self._queue:
                self._queued.clear()
                self._idle.set()

    async def _on_connected(self) -> None:
        _log.info("connected to NATS")
        self._connected.set()

    async def _on_disconnected(self) -> None:
        if self._connected.is_set():
            _log.warning("lost NATS; other nodes' work is found by query until it is back")
        self._connected.clear()

    async def _on_error(self, error: Exception) -> None:
        _log.debug("NATS error", error=type(error).__name__)

    async def _on_message(self, message: Msg) -> None:
        try:
            node_id, hints = decode(message.data)
        except NotReadable:
            _log.warning("a message that is none was received on the hints' subject", size=len(message.data))
            return
        if node_id != self._node_id:
            self._local.publish(hints)
