"""Asks the processor what transactions owe it: at most once for the money, and until it agrees for reversals and captures.

What a commit of this node intends comes with its hint and is asked at once. A sweep finds the rest: what was lost with a process,
and what has to be said again. Which step follows which, and what a crash between two of them means, is `operations.work`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from countertop.domain.clock import SECOND, Clock
from countertop.domain.errors import NotReadable
from countertop.domain.hint import IntentHint
from countertop.domain.ids import RandomBytes
from countertop.domain.response import Decision
from countertop.gateway.bus.port import Bus
from countertop.gateway.operations import work as steps
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.work import LEASE, Task, Work
from countertop.gateway.processors.port import Processor, ProcessorFailed, Unanswered, Unreachable
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import StoreTrouble, Unavailable
from countertop.gateway.task import end

SWEEP: Final = SECOND
"""How often what is due is looked for, in ms."""
ANSWER_S: Final = 40.0
"""How long any one thing may take to say: less than `LEASE`, so that nobody else takes it for lost meanwhile."""
CLAIM: Final = 64
"""How many things one look takes in hand."""
RECORD_PAUSES_S: Final = (0.05, 2.0)
"""How long to wait, first and at most, before writing down an answer again while the store is unavailable."""
_CARD_INVALID: Final = Decision("14", authorized=False)
_NOT_ALLOWED: Final = Decision("57", authorized=False)

_log = structlog.stdlib.get_logger(__name__)


class Cashier:
    """Speaks to the processor for one node. `start` it once, `stop` it once.

    `lease` is how long, in ms, a question is this node's; others then take it for lost.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        bus: Bus,
        processor: Processor,
        *,
        node_id: str,
        lease: int = LEASE,
        random: RandomBytes = os.urandom,
    ) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._processor = processor
        self._node_id = node_id
        self._lease = lease
        self._random = random
        self._busy: set[int] = set()
        self._left: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping = asyncio.Lock()
        self._closing = contextlib.AsyncExitStack()
        self._accepting = True

    @property
    def in_hand(self) -> int:
        """How many transactions this node is at work on."""
        return len(self._busy)

    async def start(self) -> None:
        """Begins to ask; what was left over when a node stopped comes first."""
        self._closing.callback(self._bus.subscribe(IntentHint, self._on_hint))
        loop = asyncio.create_task(self._sweep_for_ever())
        self._closing.push_async_callback(end, [loop])

    async def drain(self) -> None:
        """Waits until everything that is due now has been said once. For a clock that was advanced."""
        while self._tasks or await self._sweep():
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, within_s: float = 3.0) -> None:
        """Takes nothing more in hand, finishes what is asked within so many seconds, and gives the rest up for others to take."""
        self._accepting = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._finished()
        await end(self._tasks)
        await self._closing.aclose()
        if left := sorted(self._left | self._busy):
            try:
                await self._store.write(steps.let_go_work, self._moment(), left)
            except StoreTrouble:
                _log.warning("payments_could_not_be_given_up", count=len(left))

    async def _finished(self) -> None:
        async with self._sweeping:  # what is just being claimed is begun, or left
            pass
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _on_hint(self, hint: IntentHint) -> None:
        if not self._accepting:
            self._left.add(hint.transaction_id)
        elif hint.transaction_id not in self._busy:
            self._spawn(hint.transaction_id, self._begin(hint.transaction_id))

    def _spawn(self, transaction_id: int, work: Any) -> None:
        self._busy.add(transaction_id)
        task = asyncio.create_task(self._guarded(transaction_id, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, transaction_id: int, work: Awaitable[None]) -> None:
        """Whatever goes wrong with one transaction is found again by the sweep, and disturbs no other."""
        try:
            await work
        except asyncio.CancelledError:
            self._left.add(transaction_id)
            raise
        except StoreTrouble as trouble:
            _log.warning("payment_step_not_recorded", transaction=transaction_id, reason=str(trouble))
        except Exception:
            _log.exception("payment_step_failed", transaction=transaction_id)
        finally:
            self._busy.discard(transaction_id)

    async def _begin(self, transaction_id: int) -> None:
        work = await self._record(steps.begin_sending, transaction_id, self._lease)
        if work is not None:
            await self._do(work)

    async def _do(self, work: Work) -> None:
        if work.task is Task.AUTHORISE:
            await self._authorise(work)
        else:
            await self._insist(work)

    async def _authorise(self, work: Work) -> None:
        number = work.intent.number
        if self._clock.now() >= work.until:
            return  # this node slept through its time: others take the question for lost, so it may not be asked any more
        try:
            decision = await self._ask(work)
        except Unreachable:
            await self._record(steps.record_unsent, number)
        except Unanswered:
            _log.warning("processor_did_not_answer", transaction=number)
            reversal = await self._record(steps.record_unheard, number, self._lease)
            if reversal is not None:
                await self._insist(reversal)
        else:
            await self._record(steps.record_decision, number, decision)

    async def _ask(self, work: Work) -> Decision:
        """The processor's decision. Raises Unreachable if it was never asked, Unanswered if nobody knows."""
        if work.intent.bank_account and not self._processor.bank_accounts:
            return _NOT_ALLOWED
        if work.card is None and work.intent.original is None and not work.intent.bank_account:
            return _CARD_INVALID
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._processor.authorise(work.intent, work.card)
        except TimeoutError:
            raise Unanswered("the processor did not answer in time") from None
        except NotReadable:
            return _CARD_INVALID  # it does not fit into a message, so it was not sent

    async def _insist(self, work: Work) -> None:
        """Says a reversal or a capture. If the processor does not agree it is said again later."""
        try:
            async with asyncio.timeout(ANSWER_S):
                if work.task is Task.CAPTURE:
                    await self._processor.capture(work.intent, work.approval_code, work.amount)
                elif not work.intent.bank_account:
                    await self._processor.reverse(work.intent)
        except (ProcessorFailed, TimeoutError):
            _log.warning("processor_did_not_agree", transaction=work.intent.number, task=work.task.value, tries=work.tries)
            await self._record(steps.postpone, work)
        else:
            await self._record(steps.record_done, work)

    async def _record(self, operation: Callable[..., Any], *args: Any) -> Any:
        """Writes down what happened; while the store is away, again and again, for as long as this is this node's to write."""
        pause_s, longest_s = RECORD_PAUSES_S
        give_up = self._clock.now() + self._lease
        while True:
            try:
                return await self._store.write(operation, self._moment(), *args)
            except Unavailable:
                if self._clock.now() >= give_up:
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, longest_s)

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                while await self._sweep():
                    await asyncio.gather(*self._tasks, return_exceptions=True)
            except StoreTrouble as trouble:
                _log.warning("due_payments_can_not_be_looked_for", reason=str(trouble))
            except Exception:
                _log.exception("looking_for_due_payments_failed")
            await self._clock.sleep_until(self._clock.now() + SWEEP)

    async def _sweep(self) -> int:
        """Takes in hand what is due. Returns how much that was."""
        due = await self._store.peek(steps.next_due)
        async with self._sweeping:
            if not self._accepting or due is None or due > self._clock.now():
                return 0
            busy = frozenset(self._busy)
            found = await self._store.write(steps.claim_work, self._moment(), CLAIM, busy, self._lease)
            for work in found:
                self._spawn(work.intent.number, self._do(work))
        return len(found)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._random, self._node_id)
