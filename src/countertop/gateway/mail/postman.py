"""Sends the receipts that are owed: at least once, on whichever node finds them due.

A mail is on record before anybody hears of it, so nothing depends on what happens here: the hint of this node's commits only
spares the wait for the next sweep, which finds what was lost with a process and what is to be tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, Final

import structlog

from countertop.domain.clock import SECOND, Clock
from countertop.domain.errors import NotFound
from countertop.domain.hint import MailHint
from countertop.domain.ids import RandomBytes
from countertop.domain.mail import Mail
from countertop.gateway.bus.port import Bus
from countertop.gateway.mail.message import receipt_message
from countertop.gateway.mail.port import Mailer, NotMailed
from countertop.gateway.operations.mail import claim_mail, claim_mails, next_due, record_sent, record_unsent
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.paper import find_paper
from countertop.gateway.paper.page import receipt_of
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import StoreTrouble, Unavailable
from countertop.gateway.task import end, sleep_until

SWEEP: Final = 5 * SECOND
"""How often due mails are looked for, in ms, unless one is known to be due sooner."""
CLAIM: Final = 8
"""How many mails one look takes in hand; they are sent at the same time."""
WITHIN_S: Final = 60.0
"""How long one attempt may take: less than the lease, so that nobody else takes the mail for lost meanwhile."""
RECORD_PAUSES_S: Final = (0.05, 2.0)
"""How long to wait, first and at most, before writing down again what came of an attempt while the store is unavailable."""
RECORD_WITHIN_S: Final = 30.0

Link = Callable[[str, int], str]
"""Makes an address at which a merchant's transaction can be signed, of the merchant's id and the transaction's number."""

_log = structlog.stdlib.get_logger(__name__)


class Postman:
    """Sends mails for one node. `start` it once, `stop` it once.

    Without a `mailer` every attempt fails, so that what was promised while there was one is given up in time, and said so.
    Without a `link` whoever is asked to sign is asked to do it on paper.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        bus: Bus,
        mailer: Mailer | None,
        *,
        node_id: str,
        zone: datetime.tzinfo = datetime.UTC,
        link: Link | None = None,
        random: RandomBytes = os.urandom,
    ) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._mailer = mailer
        self._node_id = node_id
        self._zone = zone
        self._link = link
        self._random = random
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = contextlib.AsyncExitStack()

    @property
    def in_hand(self) -> int:
        """How many mails this node is sending."""
        return len(self._tasks)

    async def start(self) -> None:
        """Begins to send; what was left over when a node stopped comes first."""
        self._closing.callback(self._bus.subscribe(MailHint, lambda _: self._wake.set()))
        loop = asyncio.create_task(self._sweep_for_ever())
        self._closing.push_async_callback(end, [loop])

    async def stop(self, within_s: float = 3.0) -> None:
        """Takes nothing more in hand, and finishes what is being sent within so many seconds; others find the rest."""
        await self._closing.aclose()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=within_s)
        await end(self._tasks.values())

    async def drain(self) -> None:
        """Waits until everything that is due now has been tried once. For a clock that was advanced."""
        while self._tasks or await self._sweep():
            await self._finish()

    async def hurry(self, mail_id: str) -> None:
        """Sends one mail that is on record, unless another node is just doing so. Returns when that was tried once.

        Raises Unavailable if the store is; the mail is then sent later.
        """
        async with self._looking:
            mail = await self._store.write(claim_mail, self._moment(), mail_id)
            if mail is not None:
                self._spawn(mail)
        if mail_id in self._tasks:
            await asyncio.wait((self._tasks[mail_id],))

    async def _sweep_for_ever(self) -> None:
        while True:
            self._wake.clear()
            due = None
            try:
                while await self._sweep():
                    await self._finish()
                due = await self._store.peek(next_due)
            except StoreTrouble as trouble:
                _log.warning("due mails cannot be looked for", reason=str(trouble))
            except Exception:
                _log.exception("looking for due mails failed")
            now = self._clock.now()
            soon = min(due, now + SWEEP) if due is not None and due > now else now + SWEEP
            await sleep_until(self._clock, soon, self._wake)

    async def _sweep(self) -> int:
        """Takes in hand what is due. Returns how much that was."""
        async with self._looking:
            due = await self._store.peek(next_due)
            if due is None or due > self._clock.now():
                return 0
            claimed = await self._store.write(claim_mails, self._moment(), CLAIM)
            for mail in claimed:
                self._spawn(mail)
        return len(claimed)

    def _spawn(self, mail: Mail) -> None:
        task = self._tasks[mail.id] = asyncio.create_task(self._carry(mail))
        task.add_done_callback(lambda _: self._tasks.pop(mail.id, None))

    async def _finish(self) -> None:
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _carry(self, mail: Mail) -> None:
        """One attempt and its record. Whatever goes wrong with a mail disturbs no other."""
        failure = await self._attempt(mail)
        try:
            if failure is None:
                await self._record(record_sent, mail)
            else:
                await self._record_unsent(mail, failure)
        except StoreTrouble as trouble:
            # Its lease runs out, and then it is tried again: at least once.
            _log.warning("what came of a mail could not be recorded", mail=mail.id, reason=str(trouble))

    async def _attempt(self, mail: Mail) -> NotMailed | None:
        """Tries to send a mail. Returns why it was not sent; None: it was."""
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._send(mail)
        except NotMailed as failure:
            return failure
        except TimeoutError:
            return NotMailed("The mail could not be sent in time.")
        except NotFound:
            return NotMailed("The transaction is gone.", final=True)
        except Exception as error:
            # Not the exception itself: it may quote what stands in the mail.
            return NotMailed(f"The mail could not be made: {type(error).__name__}.")
        return None

    async def _send(self, mail: Mail) -> None:
        if self._mailer is None:
            raise NotMailed("This server sends no mail: SMTP_URL is not set.")
        await self._mailer.send(mail.merchant_id, mail.id, await self._message(mail))

    async def _message(self, mail: Mail) -> EmailMessage:
        """The receipt as it is now: if it was signed meanwhile, with the signature."""
        paper = await self._store.peek(find_paper, mail.merchant_id, mail.transaction_id)
        link = "" if self._link is None else self._link(mail.merchant_id, mail.transaction_id)
        return await asyncio.to_thread(lambda: receipt_message(mail, receipt_of(paper, self._zone), link))

    async def _record_unsent(self, mail: Mail, failure: NotMailed) -> None:
        again = await self._record(record_unsent, mail, str(failure), final=failure.final)
        said = "a mail was given up" if again is None else "a mail was not sent"
        _log.warning(said, mail=mail.id, transaction=mail.transaction_id, attempt=mail.attempts + 1, reason=str(failure))

    async def _record(self, operation: Callable[..., Any], mail: Mail, *args: Any, **named: Any) -> Any:
        """Writes down what came of an attempt; while the store is away, again and again for a while. Raises StoreTrouble."""
        pause_s, longest_s = RECORD_PAUSES_S
        waited_s = 0.0
        while True:
            try:
                return await self._store.write(operation, self._moment(), mail, *args, **named)
            except Unavailable:
                if waited_s >= RECORD_WITHIN_S:
                    raise
                await asyncio.sleep(pause_s)
                waited_s += pause_s
                pause_s = min(2 * pause_s, longest_s)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._random, self._node_id)
