"""Any merchant, any order of events, any failure between two commits: the store's books and the bank's agree to the cent."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from enum import Enum
from itertools import count
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Brand, CardFacts, Entry, Expiry
from countertop.domain.clock import HOUR, MINUTE
from countertop.domain.errors import Invalid
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import PaymentDetails, TakenCard
from countertop.domain.response import APPROVED, Decision
from countertop.domain.sealed_card import SealedCard
from countertop.domain.transaction import Status
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.payment import start_payment, take_card
from countertop.gateway.operations.request import StartRequest, expire_requests, show_request
from countertop.gateway.operations.settlement import list_settlements, settle_terminals
from countertop.gateway.operations.transaction import (
    CreateTransaction,
    EditTransaction,
    StoredTransaction,
    create_transaction,
    edit_transaction,
    search_transactions,
)
from countertop.gateway.operations.work import LEASE, begin_sending
from countertop.gateway.processors.port import Unanswered, Unreachable
from tests.payment.till import Clock
from tests.store.world import CONNECT, SHOWN, World, opened, populate

T = TypeVar("T")

CARDS: Final = tuple(
    SealedCard(f"a.{name}.c.d.e", CardFacts(brand, last_four, Expiry(2030, 1), name.encode() * 32), Entry.CHIP)
    for name, brand, last_four in (("v", Brand.VISA, "1111"), ("m", Brand.MASTERCARD, "5100"))
)


class Mood(Enum):
    """What becomes of the next question."""

    APPROVES = "approves"
    DECLINES = "declines"
    SILENT = "does it and does not answer"
    LOST = "never hears it"
    AWAY = "is not there"


class Bank:
    """A processor and all issuers behind it. It objects to whatever would move money twice."""

    def __init__(self) -> None:
        self.mood = Mood.APPROVES
        self.deaf = False
        self.asked: set[int] = set()
        self.held: dict[int, Intent] = {}
        self.moved: dict[int, Cents] = {}
        self.undone: set[int] = set()
        self.objections: list[str] = []

    @property
    def bank_accounts(self) -> bool:
        return False

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        self._object(intent.number in self.asked, "a question was sent twice")
        self._object(intent.number in self.undone, "a question was sent after its reversal")
        self._object(card is None and intent.original is None, "a question was about no card")
        if self.mood is Mood.AWAY:
            raise Unreachable("away")
        self.asked.add(intent.number)
        if self.mood is Mood.LOST:
            raise Unanswered("lost")
        if self.mood is Mood.DECLINES:
            return Decision("05", authorized=False)
        self.held[intent.number] = intent
        if self.mood is Mood.SILENT:
            raise Unanswered("silent")
        return Decision(APPROVED, intent.action is Action.CHARGE, "CODE")

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None:  # noqa: ARG002 - see `Processor`
        if self.deaf:
            raise Unanswered("deaf")
        if intent.number in self.moved:
            self._object(
                self.moved[intent.number] != self._signed(intent, amount), "a capture was said again with another amount"
            )
            return
        held = self.held.pop(intent.number, None)
        self._object(held is None or not 0 < amount <= held.amounts.total, "more was taken than held")
        self.moved[intent.number] = self._signed(intent, amount)

    async def reverse(self, intent: Intent) -> None:
        if self.deaf:
            raise Unanswered("deaf")
        self._object(intent.number in self.moved, "money that has moved was reversed")
        self.undone.add(intent.number)
        self.held.pop(intent.number, None)

    def _object(self, wrong: bool, objection: str) -> None:
        # Not by an exception, which a cashier outlives.
        if wrong:
            self.objections.append(objection)

    def _signed(self, intent: Intent, amount: Cents) -> Cents:
        return amount if intent.action is Action.CHARGE else -amount


class Place:
    """An event loop with an open store, shared by all examples of a run; each has a merchant, a cashier and a bank of its own."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._names = count()
        self.world: World = self.runner.run(self._stack.enter_async_context(opened(url)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def new_merchant(self) -> tuple[Caller, tuple[str, ...]]:
        return await populate(self.world.store, f"Shop {next(self._names)}", 1, self.world.now)

    def end(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()


class Shop(RuleBasedStateMachine):
    """One merchant with two customers. Made for a place by `machine_for`."""

    place: Place
    cents = st.integers(1, 3_000)
    cards = st.sampled_from(CARDS)
    moods = st.sampled_from([Mood.APPROVES] * 4 + list(Mood))
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.world = self.place.world
        self.bank = Bank()
        self.caller, [self.terminal] = self.place.run(self.place.new_merchant())
        self.cashier = Cashier(self.world.store, Clock(self.world), LocalBus(), self.bank, node_id="node-1", random=os.urandom)
        self.invoices = count()

    def write(self, operation: Any, *args: Any) -> Any:
        async def write() -> Any:
            return await self.world.store.write(operation, self.world.at(), *args)

        return self.place.run(write())

    def attempt(self, operation: Any, *args: Any) -> Any:
        try:
            return self.write(operation, *args)
        except Invalid:
            return None

    def drain(self) -> None:
        """All that is owed is said once: the intents of this node are taken for lost by their leases' end."""
        self.world.now += LEASE
        self.place.run(self.cashier.drain())

    @rule(target=made, card=cards, base=cents, wanted=st.sampled_from(Status), mood=moods, at_once=st.booleans())
    def charge(self, card: SealedCard, base: Cents, wanted: Status, mood: Mood, at_once: bool) -> int:
        self.bank.mood = mood
        wanted = wanted if wanted in (Status.HOLD, Status.VOID) else Status.CAPTURE
        command = CreateTransaction(Action.CHARGE, wanted, 1, {Part.BASE: base}, card)
        number: int = self.write(create_transaction, self.caller, command)
        if at_once:
            self.drain()
        return number

    @rule(target=made, card=cards, base=cents, action=st.sampled_from([Action.CHARGE, Action.REFUND]), copies=st.integers(1, 3))
    def pay_at_the_terminal(self, card: SealedCard, base: Cents, action: Action, copies: int) -> int:
        self.bank.deaf = False
        self.drain()
        self.world.now += HOUR  # what ran on the terminal has ended
        self.write(expire_requests, 100)
        order = PaymentOrder(action, Amounts(base), True, True, True, False, False, True)
        command = StartRequest(self.terminal, 1, order, False, CONNECT, SHOWN)
        request_id = self.write(start_payment, self.caller, command, PaymentDetails())
        self.write(show_request, self.terminal, request_id)
        for _ in range(copies):
            self.write(take_card, self.terminal, request_id, TakenCard(card, tip=1))
        return 0

    @rule(target=made, original=made, base=st.integers(1, 500), mood=moods, at_once=st.booleans())
    def refund(self, original: int, base: Cents, mood: Mood, at_once: bool) -> int:
        self.bank.mood = mood
        command = CreateTransaction(Action.REFUND, amounts={Part.BASE: base}, original_id=original)
        number = self.attempt(create_transaction, self.caller, command) or 0
        if at_once:
            self.drain()
        return number

    @rule(target=made, card=cards, base=cents)
    def refund_to_a_card(self, card: SealedCard, base: Cents) -> int:
        command = CreateTransaction(Action.REFUND, Status.CAPTURE, 1, {Part.BASE: base}, card)
        return self.attempt(create_transaction, self.caller, command) or 0

    @rule(number=made, status=st.sampled_from([Status.HOLD, Status.CAPTURE, Status.VOID]))
    def change(self, number: int, status: Status) -> None:
        if self.find(number) is not None:
            self.attempt(edit_transaction, self.caller, number, EditTransaction(status))

    @rule(number=made, base=cents, tip=st.integers(0, 100))
    def change_amounts(self, number: int, base: Cents, tip: Cents) -> None:
        if self.find(number) is not None:
            wanted = EditTransaction(amounts={Part.BASE: base, Part.TIP: tip})
            self.attempt(edit_transaction, self.caller, number, wanted)

    @rule(number=made, answered=st.booleans(), mood=moods)
    def crash(self, number: int, answered: bool, mood: Mood) -> None:
        """A node dies after it wrote that it is sending: before the bank heard it, or with the answer in hand."""
        self.bank.mood = mood
        work = self.write(begin_sending, number)
        if work is None or not answered or work.task.value != "authorise":
            return
        try:
            self.place.run(self.bank.authorise(work.intent, work.card))
        except (Unanswered, Unreachable):
            return

    @rule(mood=moods, deaf=st.booleans())
    def work(self, mood: Mood, deaf: bool) -> None:
        self.bank.mood, self.bank.deaf = mood, deaf
        self.drain()
        self.bank.deaf = False

    @rule()
    def settle(self) -> None:
        self.world.now += MINUTE
        self.write(settle_terminals, self.world.now, 1_000)

    @rule()
    def books_agree(self) -> None:
        self.bank.deaf = False
        for _ in range(3):
            self.world.now += HOUR
            self.drain()
        assert self.bank.objections == []
        found = self.all()
        self.held_agrees(found)
        self.moved_agrees(found)
        self.no_card_gains(found)

    def held_agrees(self, found: list[StoredTransaction]) -> None:
        """The bank holds what is approved, not final and not settled; nothing else."""
        waiting = {
            each.rules.id for each in found if each.rules.status in (Status.CAPTURE, Status.HOLD) and not each.rules.settled
        }
        assert set(self.bank.held) == waiting
        for each in found:
            if each.rules.id in waiting:
                assert each.rules.amounts.total <= self.bank.held[each.rules.id].amounts.total

    def moved_agrees(self, found: list[StoredTransaction]) -> None:
        """What was settled has moved, and the batches say how much."""
        settled = {each.rules.id: each.rules.charged - self.given(each) for each in found if each.rules.settled}
        assert self.bank.moved == settled
        batches = self.ask(list_settlements, self.caller.merchant_id, 0, 10_000)
        assert sum(batch.net for batch in batches) == sum(settled.values())
        assert not any(batch.pending for batch in batches)

    def no_card_gains(self, found: list[StoredTransaction]) -> None:
        """No card was, or can still be, given more than was taken from it."""
        balance: Counter[bytes] = Counter()
        for each in found:
            balance[each.rules.payer.fingerprint] += each.rules.charged - each.rules.refunded
        assert all(amount >= 0 for amount in balance.values())

    @staticmethod
    def given(each: StoredTransaction) -> Cents:
        return each.rules.refunded if each.rules.settled else 0

    def find(self, number: int) -> StoredTransaction | None:
        return next((each for each in self.all() if each.rules.id == number), None)

    def all(self) -> list[StoredTransaction]:
        found: list[StoredTransaction] = self.ask(search_transactions, self.caller.merchant_id, {}, 0, 10_000)
        return found

    def ask(self, question: Any, *args: Any) -> Any:
        async def read() -> Any:
            return await self.world.store.read(question, *args)

        return self.place.run(read())

    def teardown(self) -> None:
        self.books_agree()
        self.world.now += 24 * HOUR
        self.settle()
        self.books_agree()
        self.write(expire_requests, 100)


def machine_for(where: Place) -> type[Shop]:
    class Here(Shop):
        place = where

    return Here


def test_money_always_adds_up(sqlite_url: str) -> None:
    place = Place(sqlite_url)
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=checks, database=None)
    try:
        run_state_machine_as_test(machine_for(place), settings=chosen)
    finally:
        place.end()
