"""The terminal as a state machine: keys, swipes, frames and time in; frames and a view out. No I/O.

    machine = Machine("countertop/0.1.0")
    machine.connected(now)                  the channel is open
    machine.heard(frame, now)               the gateway said something
    machine.press(Key.CANCEL, now)          the customer did something
    machine.tick(machine.wakes_at)          it got late
    machine.take_frames()                   what to say now, in this order
    machine.view                            what to show now

A machine shows one request at a time. What it reports of a request's end, or of a payment's card, it keeps and says again until
the gateway answers: so a result survives a lost connection and a restarted gateway. Ends decided elsewhere (`clear`, the
deadline) it only obeys. A payment card is sealed before any frame, view or attribute of a machine could hold it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from countertop.domain.allowlist import EMPTY, Allowlist
from countertop.domain.card import PaymentCard
from countertop.domain.clock import SECOND, Instant
from countertop.domain.payment import PaymentDecided, TakenCard
from countertop.domain.request import Outcome
from countertop.protocol.frames import (
    Accepted,
    CardTaken,
    Clear,
    Decided,
    Extended,
    Finished,
    FromGateway,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Show,
    Shown,
    Welcome,
)
from countertop.protocol.screens import FIRST_SCREEN, LAST_SCREEN, Screen
from countertop.terminal.act import Act, Face, Step
from countertop.terminal.repertoire import begin
from countertop.terminal.view import Cue, Key, Pairing, Sound, Stroke, View
from countertop.terminal.words import WORDS

FAREWELL: Final = {
    Screen.CARD_READ: 1_500,
    Screen.CANCELLED: 1_500,
    Screen.APPROVED: 2_000,
    Screen.DECLINED: 2_000,
}
"""How long a request's last screen stays, in milliseconds."""

GRACE: Final = 2 * SECOND
"""How long after its deadline a request waits for the gateway's `clear` before it leaves the screen by itself."""

REPEAT: Final = 5 * SECOND
"""After how long an unanswered `finished` or `card` is said again on a connection that stays up."""

REMEMBERED: Final = 16
"""How many ended requests are remembered, so that a late `show` of one does not bring it back."""


@dataclass(slots=True)
class _Running:
    """The request on the screen. `longest` is the most time that it was ever given: a decided payment has as much again."""

    request_id: str
    act: Act
    deadline: Instant
    allowed: int
    longest: int


@dataclass(frozen=True, slots=True)
class _Farewell:
    """The screen that takes leave of the customer."""

    screen: Screen
    line: str
    until: Instant


class Machine:
    """One terminal. Every method that takes `now` may leave frames to say and change the view and `wakes_at`."""

    def __init__(self, software: str, allowlist: Allowlist = EMPTY, language: str = "en") -> None:
        self.language = language
        self._software = software
        self._allowlist = allowlist
        self._welcome: Welcome | None = None
        self._online = False
        self._pairing: Pairing | None = None
        self._running: _Running | None = None
        self._farewell: _Farewell | None = None
        self._unanswered: dict[str, Finished] = {}
        self._card: CardTaken | None = None
        self._repeat_at: Instant | None = None
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self._sound: Sound | None = None
        self._last_swipe: str | None = None
        self._told: Screen | None = None
        self._frames: list[FromTerminal] = []

    # What comes out.

    def take_frames(self) -> list[FromTerminal]:
        """What to say to the gateway, oldest first. Each is given once."""
        frames, self._frames = self._frames, []
        return frames

    @property
    def wakes_at(self) -> Instant | None:
        """When `tick` should be called next; None: not before something else happens."""
        instants = [self._repeat_at if self._online else None, self._farewell.until if self._farewell else None]
        if self._running:
            instants += [self._running.act.wakes_at, None if self._running.act.waits else self._running.deadline + GRACE]
        return min((instant for instant in instants if instant is not None), default=None)

    @property
    def screen(self) -> Screen:
        """What is shown now."""
        if self._running:
            return self._running.act.screen
        if self._farewell:
            return self._farewell.screen
        if self._pairing:
            return Screen.PAIRING
        return Screen.IDLE if self._online else Screen.OFFLINE

    @property
    def view(self) -> View:
        """Everything there is to show now."""
        face, running, welcome = self._face(), self._running, self._welcome
        timed = None if running is None or running.act.waits else running
        return View(
            screen=self.screen,
            headline=face.headline,
            lines=tuple(line for line in face.lines if line),
            buttons=face.buttons,
            keys=face.keys,
            entry=face.entry,
            strokes=face.strokes,
            request_id=running.request_id if running else None,
            deadline=timed.deadline if timed else None,
            allowed=timed.allowed if timed else None,
            sound=self._sound,
            language=self.language,
            online=self._online,
            nick_name=welcome.nick_name if welcome else "",
            merchant=welcome.merchant if welcome else "",
            server=welcome.server if welcome else "",
            last_swipe=self._last_swipe,
            pairing=self._pairing,
        )

    # The channel.

    def connected(self) -> None:
        """The channel is open: greets the gateway, and waits for its welcome before saying more."""
        unanswered = next(iter(self._unanswered), None)
        request_id = self._running.request_id if self._running else unanswered
        # Between requests it is the channel alone that keeps the terminal from its idle screen.
        self._told = self.screen if self._running or self._farewell else Screen.IDLE
        self._frames = [Hello(software=self._software, screen=self._told, request_id=request_id)]

    def disconnected(self) -> None:
        """The channel is lost. What is on the screen stays, and the customer may go on."""
        self._online = False
        self._frames = []

    def heard(self, frame: FromGateway, now: Instant) -> None:
        """The gateway said something."""
        match frame:
            case Welcome():
                self._welcome, self._online, self._pairing = frame, True, None
                if self._card is not None:
                    # The first `shown` may have been lost, and only what is shown takes a card.
                    self._say(Shown(request_id=self._card.request_id))
                self._repeat(now)
            case Show():
                self._show(frame, now)
            case Clear(request_id=request_id):
                self._end(request_id)
            case Extended(request_id=request_id, remaining=remaining):
                self._allow(request_id, remaining, now)
            case Decided():
                self._decide(frame, now)
            case Accepted(request_id=request_id) | Refused(request_id=request_id):
                self._unanswered.pop(request_id, None)
                if self._card is not None and self._card.request_id == request_id:
                    self._give_up(request_id, now)
                self._stop_repeating()
        self._tell()

    def speak(self, language: str) -> None:
        """Changes the language. Raises KeyError if the terminal does not speak it."""
        if language not in WORDS:
            raise KeyError(language)
        self.language = language

    def pair(self, pairing: Pairing | None) -> None:
        """Shows what an operator needs to confirm this terminal; None: that is over."""
        self._pairing = pairing

    # The customer.

    def press(self, key: Key, now: Instant) -> None:
        """A key was pressed. One that does not act on this screen does nothing."""
        if self._running is None or key not in self._face().keys:
            return
        if key is Key.CANCEL:
            self._take(Step(Outcome.CUSTOMER_CANCELLED), now)
        else:
            self._take(self._running.act.press(key), now)

    def swipe(self, raw: str, now: Instant) -> None:
        """A reader gave a stripe, sentinels included. Discarded unseen unless a request wants one."""
        if self._running is not None:
            self._take(self._running.act.swipe(raw, now), now)

    def present(self, card: PaymentCard, now: Instant) -> None:
        """A reader gave a payment card that was inserted or tapped. Discarded unless a payment wants one."""
        if self._running is not None:
            self._take(self._running.act.present(card), now)

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """The whole of what is on the signature pad now."""
        if self._running is not None:
            self._running.act.draw(strokes)

    def tick(self, now: Instant) -> None:
        """Time has passed: does whatever is due."""
        if self._running is not None:
            self._running.act.tick(now)
            if now >= self._running.deadline + GRACE and not self._running.act.waits:
                self._running = None
        if self._farewell is not None and now >= self._farewell.until:
            self._farewell = None
        if self._online and self._repeat_at is not None and now >= self._repeat_at:
            self._repeat(now)
        self._tell()

    # How it works inside.

    def _show(self, frame: Show, now: Instant) -> None:
        if frame.request_id in self._ended:
            return
        if self._running is None or self._running.request_id != frame.request_id:
            self._running = _Running(frame.request_id, begin(frame, self._allowlist), now, 0, 0)
            self._forget_card()
            self._farewell = None
            self._told = FIRST_SCREEN[frame.order.kind]
        self._allow(frame.request_id, frame.remaining, now)
        self._say(Shown(request_id=frame.request_id))

    def _allow(self, request_id: str, remaining: int, now: Instant) -> None:
        if self._running is not None and self._running.request_id == request_id:
            self._running.deadline = now + remaining
            self._running.allowed = remaining
            self._running.longest = max(self._running.longest, remaining)

    def _decide(self, frame: Decided, now: Instant) -> None:
        running = self._running
        if running is None or running.request_id != frame.request_id:
            return
        self._forget_card()
        decided = PaymentDecided(frame.approved, frame.transaction_id, frame.total, frame.signature, frame.receipt)
        waited = running.act.waits
        self._take(running.act.decide(decided, now), now)
        if waited:
            self._allow(frame.request_id, running.longest, now)

    def _give_up(self, request_id: str, now: Instant) -> None:
        """The gateway does not take the card, so nothing will come of it."""
        self._end(request_id)
        self._farewell = _Farewell(Screen.CANCELLED, "", now + FAREWELL[Screen.CANCELLED])
        self._take(Step(cue=Cue.REFUSED), now)

    def _end(self, request_id: str) -> None:
        if self._running is not None and self._running.request_id == request_id:
            self._running = None
            self._forget_card()
            self._ended.append(request_id)

    def _forget_card(self) -> None:
        self._card = None
        self._stop_repeating()

    def _stop_repeating(self) -> None:
        if not self._unanswered and self._card is None:
            self._repeat_at = None

    def _take(self, step: Step, now: Instant) -> None:
        """What the customer did has led to something."""
        if step.cue is not None:
            self._sound = Sound(step.cue, self._sound.count + 1 if self._sound else 1)
        if step.read is not None:
            self._last_swipe = step.read
        if step.asks_time:
            self._told = None  # each unreadable swipe is told, even on the screen of the one before
        if step.card is not None:
            self._keep_card(step.card, now)
        if step.outcome is not None:
            self._finish(step, step.outcome, now)
        self._tell()

    def _keep_card(self, taken: TakenCard, now: Instant) -> None:
        if self._running is None:
            return
        facts = taken.card.facts
        self._card = CardTaken(
            request_id=self._running.request_id,
            sealed=taken.card.sealed,
            brand=facts.brand,
            last_four=facts.last_four,
            expiry_year=facts.expiry.year,
            expiry_month=facts.expiry.month,
            fingerprint=facts.fingerprint.hex(),
            entry=taken.card.entry,
            tip=taken.tip,
            network=taken.network,
        )
        self._await_answer(self._card, now)

    def _finish(self, step: Step, outcome: Outcome, now: Instant) -> None:
        if self._running is None:
            return
        request_id = self._running.request_id
        finished = Finished(request_id=request_id, outcome=outcome, result=step.result)
        self._unanswered[request_id] = finished
        self._end(request_id)
        screen = LAST_SCREEN.get(outcome, Screen.IDLE)
        if screen in FAREWELL and not step.seen:
            line = WORDS[self.language][Screen.SWIPE_AGAIN].line if outcome is Outcome.READ_FAILED else step.line
            self._farewell = _Farewell(screen, line, now + FAREWELL[screen])
        self._told = screen
        self._await_answer(finished, now)

    def _await_answer(self, frame: CardTaken | Finished, now: Instant) -> None:
        if self._repeat_at is None:
            self._repeat_at = now + REPEAT
        self._say(frame)

    def _repeat(self, now: Instant) -> None:
        for finished in self._unanswered.values():
            self._told = LAST_SCREEN.get(finished.outcome, Screen.IDLE)
            self._say(finished)
        if self._card is not None:
            self._say(self._card)
        self._repeat_at = now + REPEAT if self._unanswered or self._card is not None else None

    def _tell(self) -> None:
        """Tells the gateway the screen, if it cannot know it already."""
        screen = self.screen
        if screen is not self._told and self._online:
            self._told = screen
            self._say(ScreenChanged(screen=screen, request_id=self._running.request_id if self._running else None))

    def _say(self, frame: FromTerminal) -> None:
        if self._online:
            self._frames.append(frame)

    def _face(self) -> Face:
        text = WORDS[self.language][self.screen]
        if self._running is not None:
            return self._running.act.face(text)
        if self._farewell is not None:
            return Face(text.headline, (text.line or self._farewell.line,), ())
        if self._pairing is not None:
            return Face(self._pairing.code, (text.line,), ())
        merchant = self._welcome.merchant if self._welcome and self._online else ""
        return Face(text.headline, (text.line or merchant,), ())
