"""Lives: what one customer does at a counter, what their point of sale asks for, and how it has to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from countertop.domain.card import Entry, PaymentCard
from countertop.domain.money import format_money
from countertop.protocol.screens import Screen
from countertop.sandbox.card import APPROVED
from countertop.sandbox.customer import EXPIRY
from countertop.terminal.agent import Agent
from countertop.testing.cluster import TERMINAL_ID

RUNNING: Final = ("CONNECTING", "IN_PROGRESS")
AMOUNTS: Final = 100_000
CARD: Final = PaymentCard(APPROVED, EXPIRY, Entry.CHIP)
LEAST: Final = 10_00
"""Smaller amounts are those by which the test processor is made to decline."""


@dataclass
class Life:
    """One life. Times are seconds of the monotonic clock; `end` and `later` are polls' answers."""

    kind: ClassVar[str]
    asks: ClassVar[Screen]
    """The screen on which the customer acts."""
    full: ClassVar[tuple[str, ...]]
    """The statuses of its events if it ends well, in order."""

    number: int
    began: float
    terminal_id: str = ""
    acknowledged: float | None = None
    request_id: str = ""
    attempts: int = 0
    refusal: str = ""
    end: dict[str, Any] | None = None
    later: dict[str, Any] | None = None

    @property
    def form(self) -> dict[str, Any]:
        """What the point of sale asks for."""
        return {"terminalId": TERMINAL_ID}

    def acknowledge(self, answer: dict[str, Any], now: float) -> None:
        """The POST was answered with 200."""
        self.acknowledged, self.request_id = now, answer["requestId"]

    def act(self, agent: Agent) -> None:
        """What the customer does."""
        raise NotImplementedError

    def result(self, data: dict[str, Any]) -> object:
        """What an event or a poll says of its result."""
        raise NotImplementedError

    @property
    def ended_well(self) -> bool:
        """Whether it ended as its own customer ended it."""
        raise NotImplementedError

    def place(self, data: dict[str, Any]) -> int:
        """Which of its events this is, counted from 0."""
        status = data["status"]
        return self.full.index(status) if status in self.full else len(self.full)

    @property
    def expected(self) -> tuple[str, ...]:
        """The statuses that the receiver has to hear of."""
        return self.full if self.ended_well or self.end is None else ("CONNECTING", str(self.end.get("status")))


class Read(Life):
    """A card is read."""

    kind = "request-read"
    asks = Screen.SWIPE_CARD
    full = ("CONNECTING", "IN_PROGRESS", "COMPLETE")

    @property
    def stripe(self) -> str:
        """What its customer's card holds: no two lives have the same, so that results cannot be mixed up unseen."""
        return f";{10_000_000_000 + self.number}?"

    def act(self, agent: Agent) -> None:
        """Swipes."""
        agent.swipe(self.stripe)

    def result(self, data: dict[str, Any]) -> object:
        """The stripe."""
        return data.get("trackData")

    @property
    def ended_well(self) -> bool:
        """Whether it ended with the card that its customer swiped."""
        return self.end is not None and self.end.get("status") == "COMPLETE" and self.end.get("trackData") == self.stripe


@dataclass
class Payment(Life):
    """A card is charged. `transactions` are what the gateway has of it in the end, as its API shows them."""

    kind = "request-payment"
    asks = Screen.PRESENT_CARD
    full = ("CONNECTING", "IN_PROGRESS", "IN_PROGRESS", "COMPLETE")
    """The second IN_PROGRESS says that it was decided."""

    transactions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def invoice(self) -> str:
        """By which its transactions are found."""
        return f"life-{self.number}"

    @property
    def amount(self) -> int:
        """What is charged, in cents: different from that of many a life around it."""
        return LEAST + self.number % AMOUNTS

    @property
    def form(self) -> dict[str, Any]:
        """Nothing is to be signed or sent."""
        asked = {"amountBase": format_money(self.amount), "invoiceNumber": self.invoice}
        return super().form | asked | {"showReceiptPrompt": "false", "showSignaturePrompt": "false"}

    def acknowledge(self, answer: dict[str, Any], now: float) -> None:
        """The POST was answered with 200."""
        self.acknowledged, self.request_id = now, answer["requestPaymentId"]

    def act(self, agent: Agent) -> None:
        """Inserts the card."""
        agent.present(CARD)

    def result(self, data: dict[str, Any]) -> object:
        """The number of its transaction."""
        return data.get("transactionId")

    def place(self, data: dict[str, Any]) -> int:
        """The second IN_PROGRESS is the one with a transaction."""
        return super().place(data) + (data["status"] == "IN_PROGRESS" and "transactionId" in data)

    @property
    def approved(self) -> bool:
        """Whether the point of sale was told that the money is its own."""
        return self.end is not None and self.end.get("outcome") == "APPROVED"

    @property
    def ended_well(self) -> bool:
        """Whether it ended with a decision on the card. What it was is the bank's reckoning."""
        end = self.end or {}
        return end.get("status") == "COMPLETE" and end.get("outcome") in {"APPROVED", "DECLINED"} and "transactionId" in end
