"""One attempt: sign, send, see what comes back.

The headers are the vendor's, with those of Standard Webhooks beside them. One is left out: `Connection: close`, which speaks of
the connection and not of the delivery. Sending much to one receiver is cheaper without it, and it may close all the same.
"""

from __future__ import annotations

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

import aiohttp
import structlog
from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from countertop.domain.clock import Instant
from countertop.domain.delivery import Delivery
from countertop.domain.webhook import KEEP_ANSWER, Attempt, Signer
from countertop.gateway.delivery.guard import AddressRefused, Guard, Opened, opened
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
        self._tls: ssl.SSLContext | bool = tls or True
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=self._guard.connector(),
            timeout=ClientTimeout(total=self._patience.answer_s, connect=self._patience.connect_s),
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=("Accept",),
            auto_decompress=False,  # a small answer may unfold into a large one
            trust_env=False,  # neither proxies nor passwords from the surroundings
            read_bufsize=4 * KEEP_ANSWER,
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, delivery: Delivery, now: Instant) -> Attempt:
        """Makes one attempt and says how it went. Raises nothing but cancellation."""
        began = time.perf_counter()
        status, failure, answer = None, None, b""
        try:
            body = event_body(delivery)
            status, answer = await self._post(delivery.url, self._headers(delivery, body), body)
        except TimeoutError as error:
            failure = self._lateness(error)
        except (aiohttp.ClientError, OSError) as error:
            failure = _reason(error)
        except Exception:
            _log.exception("a delivery could not be sent", event_id=delivery.event_id, webhook_id=delivery.webhook_id)
            failure = "could not be sent"
        return Attempt(now, round((time.perf_counter() - began) * 1000), status, failure, _LONG_NUMBER.sub(b"[digits]", answer))

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip,deflate"}
        if delivery.account_id is not None:
            headers["Pj-Account"] = delivery.account_id
        headers["Pj-Merchant"] = delivery.merchant_id
        headers["User-Agent"] = "PayJunction WebHook"
        timestamp = int(self._wall_s())
        headers["webhook-id"] = delivery.event_id
        headers["webhook-timestamp"] = str(timestamp)
        if delivery.secret:
            signer = _signer(delivery.secret)
            headers["X-Pj-Signature"] = signer.sign(body)
            headers["webhook-signature"] = signer.sign_standard(delivery.event_id, timestamp, body)
        return headers

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            raise RuntimeError("the sender has not been entered")
        for stale in range(STALE + 1):
            witness = Opened()
            opened.set(witness)
            try:
                async with self._session.post(
                    _parsed(url), data=body, headers=headers, allow_redirects=False, ssl=self._tls
                ) as response:
                    # The status is the answer. What follows is for the record, so its end may be missing.
                    return response.status, await _beginning(response)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                # An idle connection that the peer has just closed says nothing about the peer: take another.
                if witness.connection or stale == STALE:
                    raise
        raise AssertionError

    def _lateness(self, error: TimeoutError) -> str:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"no connection within {self._patience.connect_s:g} s"
        return f"no answer within {self._patience.answer_s:g} s"


_signer = lru_cache(maxsize=4096)(Signer)


@lru_cache(maxsize=4096)
def _parsed(url: str) -> URL:
    """As it was given: not a character is encoded anew."""
    return URL(url, encoded=True)


async def _beginning(response: ClientResponse) -> bytes:
    """The first `KEEP_ANSWER` bytes of an answer's body, or as much as comes in time."""
    kept = bytearray()
    try:
        while len(kept) < KEEP_ANSWER and (piece := await response.content.read(KEEP_ANSWER - len(kept))):
            kept += piece
    except (aiohttp.ClientError, OSError):
        pass
    return _unfolded(bytes(kept)) if kept and "Content-Encoding" in response.headers else bytes(kept)


def _unfolded(kept: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(kept, KEEP_ANSWER)  # 47: gzip or zlib, as the data says
    except zlib.error:
        return kept


_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorCertificateError, "the host's certificate is not valid for it"),
    (aiohttp.ClientSSLError, "no TLS connection"),
    (aiohttp.ClientConnectorDNSError, "the host's name has no address"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientOSError, "the connection was closed without an answer"),
    (aiohttp.ClientResponseError, "the answer was not HTTP"),
    (aiohttp.ClientPayloadError, "the answer was not HTTP"),
)
"""The first that fits holds."""


def _reason(error: aiohttp.ClientError | OSError) -> str:
    """Why there is no answer, in a few words that quote nothing of what was sent or came."""
    if type(error) is aiohttp.ClientConnectorError:
        cause = error.os_error
        if isinstance(cause, AddressRefused):
            return str(cause)
        return f"no connection: {os.strerror(cause.errno)}" if cause.errno else "no connection to any of the host's addresses"
    return next((text for kind, text in _REASONS if isinstance(error, kind)), "could not be sent")
