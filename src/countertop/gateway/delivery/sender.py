"""One attempt: sign, send, see what comes back.

The headers are the vendor's, with those of Standard Webhooks beside them. One is left out: `Connection: close`, which speaks of
the connection and not of the delivery. Sending much to one receiver is cheaper without it, and it may close all the same.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Final, Self

import structlog

from countertop.domain.clock import Instant
from countertop.domain.delivery import Delivery
from countertop.domain.webhook import KEEP_ANSWER, Attempt, Signer
from countertop.gateway.delivery.connection import Closed, NotHttp, Reply
from countertop.gateway.delivery.guard import AddressRefused, Guard
from countertop.gateway.delivery.pool import NoAddress, NoConnection, Pool, Target, target_of
from countertop.gateway.wire.event import event_body

_log = structlog.stdlib.get_logger(__name__)

STALE: Final = 5
"""How many connections in a row may turn out to have been closed by the peer while they were idle."""


_LONG_NUMBER: Final = re.compile(rb"[0-9](?:[ -]?[0-9]){8,}")
"""What could be of a card: an endpoint may repeat what it was sent, and answers rest unsealed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an endpoint may take, in seconds: to be connected to, and for the whole answer, connecting included."""

    connect_s: float = 5.0
    answer_s: float = 15.0


class Sender:
    """Sends deliveries. An async context manager; entered once.

    `wall_s` tells the seconds since 1970 for `webhook-timestamp`. It is the real time even where a test server's clock has been
    advanced, because receivers compare it with theirs and refuse what is more than a few minutes off.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        patience: Patience | None = None,
        wall_s: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self._patience = patience or Patience()
        self._wall_s = wall_s
        self._tls = tls
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = Pool(self._guard, self._tls or _trusting_the_system(), self._patience.connect_s)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.close()

    async def send(self, delivery: Delivery, now: Instant) -> Attempt:
        """Makes one attempt and says how it went. Raises nothing but cancellation."""
        began = time.perf_counter()
        status, failure, answer = None, None, b""
        try:
            target = target_of(delivery.url)
            reply = await self._post(target, self._request(target, delivery))
            status, answer = reply.status, _unfolded(reply.beginning) if reply.folded else reply.beginning
        except TimeoutError as error:
            failure = self._lateness(error)
        except (Closed, NotHttp, OSError) as error:
            failure = _reason(error)
        except Exception:
            _log.exception("a delivery could not be sent", event_id=delivery.event_id, webhook_id=delivery.webhook_id)
            failure = "could not be sent"
        return Attempt(now, round((time.perf_counter() - began) * 1000), status, failure, _LONG_NUMBER.sub(b"[digits]", answer))

    def _request(self, target: Target, delivery: Delivery) -> bytes:
        body = event_body(delivery)
        timestamp = int(self._wall_s())
        account = "" if delivery.account_id is None else f"Pj-Account: {delivery.account_id}\r\n"
        signatures = ""
        if delivery.secret:
            signer = _signer(delivery.secret)
            standard = signer.sign_standard(delivery.event_id, timestamp, body)
            signatures = f"X-Pj-Signature: {signer.sign(body)}\r\nwebhook-signature: {standard}\r\n"
        head = (
            f"{target.head}Content-Type: application/json\r\nAccept-Encoding: gzip,deflate\r\n{account}"
            f"Pj-Merchant: {delivery.merchant_id}\r\nUser-Agent: PayJunction WebHook\r\n"
            f"webhook-id: {delivery.event_id}\r\nwebhook-timestamp: {timestamp}\r\n{signatures}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body

    async def _post(self, target: Target, request: bytes) -> Reply:
        if self._pool is None:
            raise RuntimeError("the sender has not been entered")
        until = asyncio.get_running_loop().time() + self._patience.answer_s
        stale = 0
        while True:
            connection = (self._pool.take(target) if stale < STALE else None) or await self._pool.open(target)
            may_be_stale = connection.used
            try:
                reply = await connection.post(request, until)
            except Closed as closed:
                # An idle connection that the peer has just closed says nothing about the peer: take another.
                if closed.heard or not may_be_stale:
                    raise
                stale += 1
            except BaseException:
                connection.close()
                raise
            else:
                self._pool.keep(target, connection)
                return reply

    def _lateness(self, error: TimeoutError) -> str:
        if isinstance(error, NoConnection):
            return f"no connection within {self._patience.connect_s:g} s"
        return f"no answer within {self._patience.answer_s:g} s"


_signer = lru_cache(maxsize=4096)(Signer)


def _trusting_the_system() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _unfolded(kept: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(kept, KEEP_ANSWER)  # 47: gzip or zlib, as the data says
    except zlib.error:
        return kept


_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (NotHttp, "the answer was not HTTP"),
    (Closed, "the connection was closed without an answer"),
    (NoAddress, "the host's name has no address"),
    (ssl.SSLCertVerificationError, "the host's certificate is not valid for it"),
    (ssl.SSLError, "no TLS connection"),
)
"""The first that fits holds."""


def _reason(error: Closed | NotHttp | OSError) -> str:
    """Why there is no answer, in a few words that quote nothing of what was sent or came."""
    if isinstance(error, AddressRefused):
        return str(error)
    reason = next((text for kind, text in _REASONS if isinstance(error, kind)), None)
    if reason is not None:
        return reason
    errno = error.errno if isinstance(error, OSError) else None
    return f"no connection: {os.strerror(errno)}" if errno else "no connection to any of the host's addresses"
