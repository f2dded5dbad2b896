"""A payment from its first screen to its end.

    TIP ─▶ PROMPT ─▶ PRESENT_CARD ◀─▶ KEYED_CARD ─▶ PROCESSING ─▶ APPROVED ─▶ SIGNATURE ─▶ RECEIPT ─▶ ■
                                                              └─▶ DECLINED ■

Tip, choice of network, signature and receipt are there if they are asked for. Until a card is taken the red X ends the payment,
where the order allows that; from then on only the gateway does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from countertop.domain.card import PaymentCard
from countertop.domain.clock import Instant
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import Network, PaymentDecided, TakenCard
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.terminal.act import NOTHING, Act, Face, Step
from countertop.terminal.payment.choice import NetworkStage, TipStage
from countertop.terminal.payment.ending import ApprovedStage, ProcessingStage, ReceiptStage, SignatureStage, Strokes
from countertop.terminal.payment.keyed import KeyedStage
from countertop.terminal.payment.present import PresentStage
from countertop.terminal.payment.seal import Seal
from countertop.terminal.view import Cue, Key, Presented, Stroke
from countertop.terminal.words import Text, dollars


class PaymentAct(Act):
    """Carries out a payment. Each of its stages is an act too, and tells what came of it through what it was given to call.

    `card_taken`: the gateway has this payment's card already, so it only waits to hear of the decision.
    """

    _stage: Act

    def __init__(self, order: PaymentOrder, seal: Seal, *, card_taken: bool = False) -> None:
        self._order = order
        self._seal = seal
        self._tip: Cents = 0
        self._network: Network | None = None
        self._decided: PaymentDecided | None = None
        if card_taken:
            self._go(ProcessingStage())
        elif order.allow_tips and order.action is Action.CHARGE:
            self._go(TipStage(order, self._ask_for_network))
        else:
            self._ask_for_network(0)

    def face(self, text: Text) -> Face:
        """The present stage's."""
        return self._stage.face(text)

    def press(self, key: Key) -> Step:
        """As the present stage answers to it."""
        return self._followed(self._stage.press(key))

    def swipe(self, raw: str, now: Instant) -> Step:
        """Looked at only while a card is asked for."""
        return self._followed(self._stage.swipe(raw, now))

    def present(self, card: PaymentCard) -> Step:
        """Taken only while a card is asked for."""
        return self._followed(self._stage.present(card))

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """As the present stage answers to it."""
        self._stage.draw(strokes)

    def tick(self, now: Instant) -> None:
        """As the present stage answers to it."""
        self._stage.tick(now)
        self._followed(NOTHING)

    def decide(self, decided: PaymentDecided, now: Instant) -> Step:
        """The first decision counts. It is obeyed on any screen: a terminal that was started anew does not know of its card."""
        if self._decided is not None:
            return NOTHING
        self._decided = decided
        if not decided.approved:
            return Step(Outcome.DECLINED, Paid(decided.transaction_id), Cue.REFUSED)
        if not decided.signature and not decided.receipt:
            return Step(Outcome.APPROVED, Paid(decided.transaction_id), line=dollars(decided.total))
        self._go(ApprovedStage(decided, now, partial(self._ask_to_sign, decided)))
        return NOTHING

    # From stage to stage.

    def _go(self, stage: Act) -> None:
        self._stage = stage
        self._followed(NOTHING)

    def _followed(self, step: Step) -> Step:
        self.screen, self.wakes_at, self.waits = self._stage.screen, self._stage.wakes_at, self._stage.waits
        return step

    def _ask_for_network(self, tip: Cents) -> None:
        self._tip = tip
        if self._order.debit_credit_prompt:
            self._go(NetworkStage(self._order, self._ask_for_card))
        else:
            self._ask_for_card(None)

    def _ask_for_card(self, network: Network | None) -> None:
        self._network = network
        keyed = self._ask_for_digits if self._order.keyed else None
        self._go(PresentStage(self._order, self._order.charged(self._tip, network).total, self._take, keyed))

    def _ask_for_digits(self) -> None:
        self._go(KeyedStage(self._order, self._take, partial(self._ask_for_card, self._network)))

    def _take(self, card: PaymentCard) -> Step:
        """Seals the card, which nobody has any more after that."""
        sealed = self._seal(card)
        self._go(ProcessingStage())
        return Step(cue=Cue.TAKEN, read=Presented.PAYMENT, card=TakenCard(sealed, self._tip, self._network))

    def _ask_to_sign(self, decided: PaymentDecided) -> None:
        if decided.signature:
            self._go(SignatureStage(self._order, decided, partial(self._ask_for_address, decided)))
        else:
            self._ask_for_address(decided, None)

    def _ask_for_address(self, decided: PaymentDecided, strokes: Strokes | None) -> Step:
        finish = partial(self._finish, decided.transaction_id, strokes)
        if not decided.receipt:
            return finish(None)
        self._go(ReceiptStage(self._order.receipt_email, finish))
        return NOTHING

    def _finish(self, transaction_id: int, strokes: Strokes | None, receipt_email: str | None) -> Step:
        return Step(Outcome.APPROVED, Paid(transaction_id, strokes, receipt_email), seen=True)
