"""Payments under any order of keys, cards, frames, lost connections and time, at a terminal with a gateway."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from countertop.domain.card import PaymentCard
from countertop.domain.order import Order, PaymentOrder, ReadOrder
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.protocol.frames import (
    Accepted,
    CardTaken,
    Clear,
    Decided,
    Finished,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Show,
    Shown,
    encode,
)
from countertop.protocol.screens import FIRST_SCREEN, LAST_SCREEN, Screen
from countertop.protocol.session import GatewaySession
from countertop.terminal.machine import REPEAT, Machine
from countertop.terminal.view import BUTTONS, DIGITS, Key
from tests.unit.counter import CHIP, CHIP_STRIPE, NUMBER, SEALING, START, STRIPE, TAP, WELCOME, opened, order

MINUTE = 60_000

flags = st.booleans()
orders = st.builds(
    order,
    show_receipt_prompt=flags,
    show_signature_prompt=flags,
    allow_tips=flags,
    keyed=flags,
    debit_credit_prompt=flags,
    customer_may_cancel=flags,
    receipt_email=st.sampled_from(["", "reader@example.com"]),
)
stripes = st.sampled_from([STRIPE, CHIP_STRIPE, ";E?", "garbage", ";7090112233654321?"])
keyings = [Key.CLEAR, *map(Key, NUMBER), Key.ENTER, *map(Key, "1230"), Key.ENTER, *map(Key, "999"), Key.ENTER]


class Counter(RuleBasedStateMachine):
    """A terminal and its gateway. The gateway knows the truth: at most one request, and of that at most one card."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine("test/1")
        self.session = GatewaySession()
        self.now = START
        self.open = self.welcomed = self.hearing = False
        self.wire: list[FromTerminal] = []
        self.count = 0
        self.running: str | None = None
        self.order: Order = ReadOrder()
        self.shown = False
        self.card: CardTaken | None = None
        self.decided: Decided | None = None
        self.cards: dict[str, set[str]] = {}
        self.ended: dict[str, Finished] = {}
        self.restarted: set[str] = set()
        self.cleared: set[str] = set()
        self.screen: Screen | None = None

    # The gateway.

    def say(self, frame: Any) -> None:
        if self.welcomed:
            self.machine.heard(frame, self.now)
            self.collect()

    def tell_running(self) -> None:
        if self.running is None:
            return
        sealing = SEALING if isinstance(self.order, PaymentOrder) else None
        taken = self.card is not None
        frame = Show(request_id=self.running, order=self.order, remaining=MINUTE, sealing=sealing, card_taken=taken)
        before = self.machine.view.request_id
        self.machine.heard(frame, self.now)
        if self.machine.view.request_id == self.running != before:
            self.screen = FIRST_SCREEN[self.order.kind]
        self.collect()
        if self.decided is not None and self.running == self.decided.request_id:
            self.say(self.decided)

    def clear(self, request_id: str) -> None:
        if self.welcomed:
            self.cleared.add(request_id)
        self.say(Clear(request_id=request_id))

    def end(self) -> None:
        self.running = self.card = self.decided = None

    def collect(self) -> None:
        """Hears what the terminal says, in that order, whatever is answered meanwhile."""
        self.wire += self.machine.take_frames()
        while self.wire and not self.hearing:
            frame = self.wire.pop(0)
            assert self.open
            assert self.welcomed or isinstance(frame, Hello)
            text = encode(frame)
            assert NUMBER not in text + repr(frame)
            self.hearing = True
            self.hear(self.session.receive(text))
            self.hearing = False

    def hear(self, frame: FromTerminal) -> None:
        match frame:
            case Hello(screen=screen) | ScreenChanged(screen=screen):
                self.screen = screen
            case Shown(request_id=request_id):
                self.shown = request_id == self.running
            case CardTaken():
                self.hear_card(frame)
            case Finished():
                self.hear_finished(frame)

    def hear_card(self, frame: CardTaken) -> None:
        seals = self.cards.setdefault(frame.request_id, set())
        seals.add(frame.sealed)
        assert len(seals) == 1 or frame.request_id in self.restarted, "two cards for one request"
        assert frame.request_id not in self.cleared, "a card was kept for a request that is over"
        assert opened(frame).number == NUMBER
        if frame.request_id != self.running:
            self.say(Refused(request_id=frame.request_id, reason="too late"))
        elif self.card is None:
            assert isinstance(self.order, PaymentOrder)
            assert self.order.allow_tips or not frame.tip
            assert (frame.network is not None) is self.order.debit_credit_prompt
            self.card = frame
        elif self.decided is not None:
            self.say(self.decided)

    def hear_finished(self, frame: Finished) -> None:
        assert self.ended.setdefault(frame.request_id, frame) == frame, "two ends of one request"
        self.screen = LAST_SCREEN.get(frame.outcome, Screen.IDLE)
        if isinstance(self.order, PaymentOrder) and frame.request_id == self.running:
            self.check_ending(self.order, frame)
        if frame.request_id == self.running:
            self.end()
        self.say(Accepted(request_id=frame.request_id))

    def check_ending(self, order: PaymentOrder, frame: Finished) -> None:
        if frame.outcome is Outcome.CUSTOMER_CANCELLED:
            assert self.card is None, "cancelled after its card was taken"
            assert order.customer_may_cancel
            return
        assert self.decided is not None
        assert isinstance(frame.result, Paid)
        assert frame.outcome is (Outcome.APPROVED if self.decided.approved else Outcome.DECLINED)
        assert (frame.result.strokes is not None) is self.decided.signature
        assert frame.result.receipt_email in (None, order.receipt_email)

    @initialize()
    def come_up(self) -> None:
        self.connect()
        self.welcome()

    @precondition(lambda self: self.running is None)
    @rule(order=st.one_of(orders, orders, st.just(ReadOrder())))
    def begin(self, order: Order) -> None:
        self.count += 1
        self.running, self.order, self.shown = f"00000000-0000-7000-8000-{self.count:012d}", order, False
        if self.welcomed:
            self.tell_running()

    @precondition(lambda self: self.card is not None and self.decided is None)
    @rule(approved=flags)
    def decide(self, approved: bool) -> None:
        assert self.running is not None
        assert isinstance(self.order, PaymentOrder)
        signature, receipt = (
            approved and wanted for wanted in (self.order.show_signature_prompt, self.order.show_receipt_prompt)
        )
        self.decided = Decided(
            request_id=self.running, approved=approved, transaction_id=self.count, total=100, signature=signature, receipt=receipt
        )
        self.say(self.decided)

    @precondition(lambda self: self.running is not None and (self.card is None or self.decided is not None))
    @rule()
    def time_out_or_cancel(self) -> None:
        ended, self.running = self.running, None
        self.end()
        assert ended is not None
        self.clear(ended)

    @precondition(lambda self: self.running is not None and self.card is not None)
    @rule()
    def say_it_all_again(self) -> None:
        if self.welcomed:
            self.tell_running()

    # The network.

    @precondition(lambda self: not self.open)
    @rule()
    def connect(self) -> None:
        self.open, self.session = True, GatewaySession()
        self.machine.connected()
        self.collect()

    @precondition(lambda self: self.open and not self.welcomed)
    @rule()
    def welcome(self) -> None:
        self.welcomed = True
        shown = self.machine.view.request_id
        self.machine.heard(WELCOME, self.now)
        self.collect()
        if shown is not None and shown != self.running:
            self.clear(shown)
        self.tell_running()

    @precondition(lambda self: self.open and self.running is not None)
    @rule()
    def reconnect(self) -> None:
        self.lose_connection()
        self.connect()
        self.welcome()

    @precondition(lambda self: self.open and self.running is not None)
    @rule()
    def lose_connection(self) -> None:
        self.open = self.welcomed = False
        self.machine.disconnected()
        self.collect()

    @precondition(lambda self: self.running is not None)
    @rule()
    def start_anew(self) -> None:
        """The terminal loses its power, and with it all that it knew."""
        if self.open:
            self.lose_connection()
        self.machine = Machine("test/1")
        self.restarted |= self.cards.keys() | {self.running or ""}
        self.ended.clear()
        self.connect()
        self.welcome()

    # The customer.

    @rule(key=st.sampled_from(list(Key)))
    def press(self, key: Key) -> None:
        before = self.machine.view
        self.machine.press(key, self.now)
        if key not in before.keys:
            assert self.machine.view == before
        self.collect()

    @precondition(lambda self: self.machine.view.request_id is not None)
    @rule(sure=st.integers(0, 2))
    def cancel(self, sure: int) -> None:
        if sure == 0 or self.card is not None:
            self.press(Key.CANCEL)

    @precondition(lambda self: self.machine.screen is Screen.TIP)
    @rule(keys=st.lists(st.sampled_from(DIGITS), max_size=12))
    def tip(self, keys: list[Key]) -> None:
        for key in (*keys, Key.ENTER):
            self.press(key)

    @precondition(lambda self: self.machine.screen is Screen.PRESENT_CARD)
    @rule()
    def type_a_card(self) -> None:
        for key in keyings:
            self.press(key)

    @precondition(lambda self: self.machine.screen in (Screen.TIP, Screen.PROMPT, Screen.RECEIPT))
    @rule(key=st.sampled_from(BUTTONS))
    def choose(self, key: Key) -> None:
        self.press(key)

    @precondition(lambda self: self.card is None)
    @rule(keys=st.lists(st.sampled_from(BUTTONS), min_size=2, max_size=2))
    def pay(self, keys: list[Key]) -> None:
        """What most customers do."""
        for key in keys:
            if self.machine.screen in (Screen.TIP, Screen.PROMPT):
                self.press(key)
        self.present(CHIP)

    @rule(card=st.sampled_from([CHIP, TAP]))
    def present(self, card: PaymentCard) -> None:
        before = self.machine.view
        self.machine.present(card, self.now)
        if before.screen not in (Screen.PRESENT_CARD, Screen.SWIPE_AGAIN, Screen.CARD_NOT_SUPPORTED):
            assert self.machine.view == before
        self.collect()

    @rule(raw=stripes)
    def swipe(self, raw: str) -> None:
        self.machine.swipe(raw, self.now)
        self.collect()

    @precondition(lambda self: self.machine.screen is Screen.SIGNATURE)
    @rule()
    def sign(self) -> None:
        self.machine.draw([((1, 2), (3, 4))])
        self.press(Key.ENTER)

    @rule(duration=st.sampled_from([1, 2_000, REPEAT, 30_000, 3 * MINUTE]))
    def wait(self, duration: int) -> None:
        until = self.now + duration
        for _ in range(300):
            wakes_at = self.machine.wakes_at
            if wakes_at is None or wakes_at > until:
                break
            self.now = max(self.now, wakes_at)
            self.machine.tick(self.now)
            self.collect()
        self.now = until

    # What is always so.

    @invariant()
    def nobody_sees_the_card(self) -> None:
        view = self.machine.view
        for digits in (NUMBER, NUMBER[:8], "1230", "999"):
            assert digits not in repr([view.headline, view.lines, view.buttons, view.entry]) + repr(view.last_swipe)
        assert NUMBER not in repr(self.machine)

    @invariant()
    def the_view_is_whole(self) -> None:
        view = self.machine.view
        assert view.headline
        assert (view.deadline is None) is (view.request_id is None or view.screen is Screen.PROCESSING)

    @invariant()
    def the_gateway_knows_the_screen(self) -> None:
        if self.welcomed and self.screen is not None:
            assert self.screen is self.machine.screen

    def teardown(self) -> None:
        """A gateway that is there ends everything that runs, and then the terminal is idle."""
        if not self.open:
            self.connect()
        if not self.welcomed:
            self.welcome()
        if self.card is not None and self.decided is None:
            self.decide(True)
        self.wait(10 * MINUTE)
        assert self.machine.screen is Screen.IDLE


Counter.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
TestCounter = Counter.TestCase
