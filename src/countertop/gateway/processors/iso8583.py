"""A processor that speaks ISO 8583 over TCP with TLS. Implements `port.Processor`.

One connection is kept, signed on and tried with an echo now and then; when it breaks a new one is made, with growing pauses.
Which message asks what is in `message.py`. These waits are the network's own: they run on real time, not on the server's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

import structlog

from countertop.domain.errors import NotReadable
from countertop.domain.intent import Intent
from countertop.domain.money import Cents
from countertop.domain.response import APPROVALS, Decision
from countertop.domain.sealed_card import SealedCard
from countertop.gateway.processors import message as iso
from countertop.gateway.processors.link import HostLink
from countertop.gateway.processors.port import ProcessorFailed, Unanswered, Unreachable

_PARTLY_APPROVED: Final = "10"
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """Where a host listens. Without `tls` the connection is in the clear, which only a test or a tunnel may be."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds, and how often a reversal is said in one go."""

    connect_s: float = 5
    answer_s: float = 20
    echo_every_s: float = 60
    first_pause_s: float = 0.5
    longest_pause_s: float = 30
    attempts: int = 4


class Iso8583Processor:
    """A processor at the end of a network connection. `start` before use, `stop` at the end."""

    def __init__(self, address: HostAddress, patience: Patience | None = None) -> None:
        self._address = address
        self._patience = patience or Patience()
        self._link: HostLink | None = None
        self._signed_on = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._traces = 0

    @property
    def online(self) -> bool:
        """Whether there is a connection that is signed on."""
        return self._signed_on.is_set()

    async def start(self) -> None:
        """Begins to keep a connection. Returns at once: a host that is away must not keep a gateway from starting."""
        self._keeping = asyncio.create_task(self._keep_connected())

    async def stop(self) -> None:
        """Signs off and lets go of the connection; questions that are open end as Unanswered."""
        if self._keeping is None:
            return
        if self._link is not None:
            with contextlib.suppress(ProcessorFailed):
                await self._say(self._link, iso.SIGN_OFF, within_s=self._patience.connect_s)
        self._keeping.cancel()
        await asyncio.wait([self._keeping])
        self._keeping = None

    @property
    def bank_accounts(self) -> bool:
        """Never: the messages are about cards."""
        return False

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        """See `port.Processor.authorise`. Raises NotReadable if the sealed card does not fit into a message."""
        link = await self._connected()
        answer = await link.ask(iso.authorisation(intent, card), self._patience.answer_s)
        try:
            decision = iso.decision(intent, answer)
        except NotReadable as error:
            raise Unanswered(str(error)) from None
        if not decision.approved and (decision.authorized or decision.code == _PARTLY_APPROVED):
            await self.reverse(intent)  # the host holds money for a payment that is declined here
        return decision

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None:
        """See `port.Processor.capture`."""
        await self._insist(iso.capture(intent, approval_code, amount), APPROVALS)

    async def reverse(self, intent: Intent) -> None:
        """See `port.Processor.reverse`. Says it several times, with a pause between, before it gives up."""
        await self._insist(iso.reversal(intent), iso.REVERSED)

    async def _insist(self, message: iso.Message, good: Container[str | None]) -> None:
        """Says a message that must be heard, and again as a repeat, over a new connection if need be."""
        failed: ProcessorFailed = Unanswered("the processor did not agree")
        for attempt in range(self._patience.attempts):
            if attempt:
                await asyncio.sleep(self._patience.first_pause_s)
            try:
                link = await self._connected()
                answer = await link.ask(iso.repeat(message) if attempt else message, self._patience.answer_s)
            except ProcessorFailed as error:
                failed = error
                continue
            if answer.get("39") in good:
                return
            failed = Unanswered("the processor did not agree")
        raise failed

    async def _connected(self) -> HostLink:
        """The connection, waited for a little if there is none. Raises Unreachable."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.connect_s):
                await self._signed_on.wait()
        if self._link is None:
            raise Unreachable("there is no connection to the processor")
        return self._link

    async def _keep_connected(self) -> None:
        pause_s = self._patience.first_pause_s
        while True:
            try:
                await self._stay_connected()
                pause_s = self._patience.first_pause_s
            except (OSError, ProcessorFailed) as error:
                _log.warning(
                    "processor_unreachable", host=self._address.host, port=self._address.port, reason=type(error).__name__
                )
                pause_s = min(2 * pause_s, self._patience.longest_pause_s)
            await asyncio.sleep(pause_s)

    async def _stay_connected(self) -> None:
        """One connection from sign-on to its end. Raises OSError or ProcessorFailed if it never got so far."""
        link = await HostLink.connect(self._address.host, self._address.port, self._address.tls, self._patience.connect_s)
        try:
            await self._say(link, iso.SIGN_ON, within_s=self._patience.answer_s)
            self._link = link
            self._signed_on.set()
            _log.info("processor_signed_on", host=self._address.host, port=self._address.port)
            await self._echo_until_closed(link)
        finally:
            self._link = None
            self._signed_on.clear()
            await link.close()

    async def _echo_until_closed(self, link: HostLink) -> None:
        while not await link.closed(self._patience.echo_every_s):
            try:
                await self._say(link, iso.ECHO, within_s=self._patience.answer_s)
            except ProcessorFailed:
                return  # a connection on which nobody answers is none

    async def _say(self, link: HostLink, code: str, within_s: float) -> None:
        """A message about the connection. Raises Unanswered if the host does not agree."""
        self._traces += 1
        answer = await link.ask(iso.network(code, self._traces, datetime.datetime.now(datetime.UTC)), within_s)
        if answer.get("39") not in APPROVALS:
            raise Unanswered("the processor did not agree")
