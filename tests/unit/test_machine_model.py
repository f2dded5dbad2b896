"""The terminal's state machine under any order of keys, swipes, frames, lost connections and time."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from countertop.domain.order import InputOrder, Order, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.request import AT_THE_TERMINAL, WITH_RESULT
from countertop.domain.result import CardRead
from countertop.domain.screening import screen
from countertop.protocol.frames import (
    Accepted,
    Clear,
    Extended,
    Finished,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Show,
    Shown,
    Welcome,
)
from countertop.protocol.screens import FIRST_SCREEN, LAST_SCREEN, Screen
from countertop.terminal.act import NOTICE
from countertop.terminal.machine import REPEAT, Machine
from countertop.terminal.view import BUTTONS, DIGITS, Key

GIFT = ";7090112233654321?"
MEMBER = "%B924696827707852^?;924696827707852=?"
DAMAGED = ";E?"
GARBAGE = "7090112233654321"
BANK = ";4111111111111111=25121010000000000000?"
BARE_PAN = ";4111111111111111?"

START = 1_000_000
WELCOME = Welcome(nick_name="Counter 1", merchant="Corner Books", server="test")

requests = st.integers(0, 3).map(lambda number: f"00000000-0000-7000-8000-00000000000{number}")
orders = st.sampled_from([ReadOrder(), PromptOrder("Sure?", ("Yes", "No")), InputOrder("PHONE"), SignatureOrder("I agree")])
stripes = st.sampled_from([GIFT, MEMBER, DAMAGED, GARBAGE, BANK, BARE_PAN, "", ";E?%E?"])


class AnyOrder(RuleBasedStateMachine):
    """A terminal whose customer, gateway, network and clock do what they like."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine("test/1")
        self.now = START
        self.open = False
        self.welcomed = False
        self.ended: dict[str, Finished] = {}
        self.unanswered: dict[str, Finished] = {}
        self.swiped: set[str] = set()
        self.gateway_knows: Screen | None = None

    def collect(self) -> None:
        for frame in self.machine.take_frames():
            assert self.open
            assert self.welcomed or isinstance(frame, Hello)
            self.note(frame)

    def note(self, frame: FromTerminal) -> None:
        match frame:
            case Hello(screen=screen) | ScreenChanged(screen=screen):
                self.gateway_knows = screen
            case Finished():
                self.note_end(frame)
            case Shown(request_id=request_id):
                assert request_id not in self.ended

    def note_end(self, frame: Finished) -> None:
        first = self.ended.setdefault(frame.request_id, frame)
        assert frame == first, "two ends of one request"
        self.unanswered[frame.request_id] = frame
        assert frame.outcome in AT_THE_TERMINAL
        assert (frame.result is not None) is (frame.outcome in WITH_RESULT)
        if isinstance(frame.result, CardRead):
            assert screen(frame.result.stripe).card == frame.result
            assert frame.result.stripe in self.swiped

    @precondition(lambda self: not self.open)
    @rule()
    def connect(self) -> None:
        self.open, self.welcomed = True, False
        self.machine.connected()
        self.collect()

    @precondition(lambda self: self.open and not self.welcomed)
    @rule()
    def welcome(self) -> None:
        self.welcomed = True
        expected = dict(self.unanswered)
        self.machine.heard(WELCOME, self.now)
        frames = self.machine.take_frames()
        for finished in expected.values():
            assert finished in frames, "an unanswered end was not repeated"
        for frame in frames:
            self.note(frame)

    @precondition(lambda self: self.open)
    @rule()
    def lose_connection(self) -> None:
        self.open = self.welcomed = False
        self.machine.disconnected()
        self.collect()

    @precondition(lambda self: self.welcomed)
    @rule(request_id=requests, order=orders, remaining=st.integers(0, 60_000))
    def show(self, request_id: str, order: Order, remaining: int) -> None:
        before = self.machine.view.request_id
        self.machine.heard(Show(request_id=request_id, order=order, remaining=remaining), self.now)
        if self.machine.view.request_id == request_id != before:
            self.gateway_knows = FIRST_SCREEN[order.kind]
        self.collect()

    @precondition(lambda self: self.welcomed)
    @rule(
        request_id=requests,
        make=st.sampled_from(
            [
                lambda id_: Clear(request_id=id_),
                lambda id_: Extended(request_id=id_, remaining=30_000),
            ]
        ),
    )
    def hear(self, request_id: str, make: Any) -> None:
        self.machine.heard(make(request_id), self.now)
        self.collect()

    @precondition(lambda self: self.welcomed and self.unanswered)
    @rule(data=st.data(), accepted=st.booleans())
    def answer(self, data: st.DataObject, accepted: bool) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.unanswered)))
        del self.unanswered[request_id]
        frame = Accepted(request_id=request_id) if accepted else Refused(request_id=request_id, reason="too late")
        self.machine.heard(frame, self.now)
        self.collect()

    @rule(key=st.sampled_from(list(Key)))
    def press(self, key: Key) -> None:
        before = self.machine.view
        self.machine.press(key, self.now)
        if key not in before.keys:
            assert self.machine.view == before
        self.note_local(before.request_id)

    @rule(keys=st.lists(st.sampled_from([*DIGITS, *BUTTONS, Key.ENTER]), max_size=12))
    def press_many(self, keys: list[Key]) -> None:
        for key in keys:
            self.press(key)

    @rule(raw=stripes)
    def swipe(self, raw: str) -> None:
        before = self.machine.view
        self.swiped.add(raw)
        self.machine.swipe(raw, self.now)
        if before.screen not in (Screen.SWIPE_CARD, Screen.SWIPE_AGAIN, Screen.CARD_NOT_SUPPORTED):
            assert self.machine.view == before
        elif screen(raw).card is None and self.machine.view.request_id is None:
            assert self.machine.screen is Screen.CANCELLED
        self.note_local(before.request_id)

    @rule(strokes=st.lists(st.lists(st.tuples(st.integers(), st.integers()), max_size=3).map(tuple), max_size=3))
    def draw(self, strokes: list[tuple[tuple[int, int], ...]]) -> None:
        self.machine.draw(strokes)
        self.collect()

    def note_local(self, before: str | None) -> None:
        """What the customer did may have ended a request, said now or, without a connection, later."""
        frames = self.machine.take_frames()
        if before is not None and self.machine.view.request_id is None:
            if self.welcomed:
                (finished,) = frames
                assert isinstance(finished, Finished)
                assert finished.request_id == before
                self.gateway_knows = LAST_SCREEN.get(finished.outcome, Screen.IDLE)
            else:
                self.gateway_knows = self.machine.screen if self.open else None
        for frame in frames:
            self.note(frame)

    @rule(duration=st.sampled_from([1, 1_500, NOTICE, REPEAT, 30_000, 200_000]))
    def wait(self, duration: int) -> None:
        until = self.now + duration
        for _ in range(200):
            wakes_at = self.machine.wakes_at
            if wakes_at is None or wakes_at > until:
                break
            self.now = max(self.now, wakes_at)
            self.machine.tick(self.now)
            self.collect()
            assert self.machine.wakes_at is None or self.machine.wakes_at > self.now, "a tick left something due"
        self.now = until
        self.collect()

    @invariant()
    def the_gateway_knows_the_screen(self) -> None:
        if self.welcomed and self.gateway_knows is not None:
            assert self.gateway_knows is self.machine.screen

    @invariant()
    def the_view_is_whole(self) -> None:
        view = self.machine.view
        assert view.headline
        assert "4111" not in repr(view)
        assert (view.request_id is None) is (view.deadline is None)

    def teardown(self) -> None:
        self.wait(400_000)
        assert self.machine.screen is (Screen.IDLE if self.welcomed else Screen.OFFLINE)


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
