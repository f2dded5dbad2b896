"""What may be said after a commit to make something happen sooner.

A hint is never the only way to learn of a thing: whoever misses it finds the same by a query a little later. What a hint carries
beside its key is a convenience for this process and does not travel to other nodes.
"""

from __future__ import annotations

from dataclasses import field

from countertop.domain.delivery import Delivery
from countertop.domain.order import Order
from countertop.domain.payment import PaymentDecided
from countertop.domain.value import value


@value
class ShowHint:
    """A terminal has a request to show. `order` and `remaining` spare the look-up where the terminal is connected here.

    `remaining` is how long the request may stay on the screen, in milliseconds.
    """

    smart_terminal_id: str
    request_id: str
    order: Order | None = field(default=None, repr=False)
    remaining: int | None = None


@value
class ClearHint:
    """What a terminal shows has ended; it should go back to its idle screen."""

    smart_terminal_id: str
    request_id: str


@value
class RequestHint:
    """A request changed: whoever waits for that may look again."""

    request_id: str


@value
class ConnectionHint:
    """A terminal connected anew: an older connection of it, wherever it is, is over."""

    smart_terminal_id: str
    connection_id: str


@value
class DeliveryHint:
    """Deliveries are due. `leased` holds those that were leased to this node in the same commit.

    `following` are not due: they were written by the same commit, and wait for earlier events of their subjects.
    """

    leased: tuple[Delivery, ...] = field(default=(), repr=False)
    following: tuple[Delivery, ...] = field(default=(), repr=False)


@value
class IntentHint:
    """A processor is to be asked something about a transaction, by this node: the question was born in its hands."""

    transaction_id: int


@value
class DecidedHint:
    """A terminal's payment is decided, and the terminal waits to hear it. `decided` spares the look-up."""

    smart_terminal_id: str
    request_id: str
    decided: PaymentDecided | None = None


@value
class TransactionHint:
    """A transaction was decided: whoever waits for that may look."""

    transaction_id: int


@value
class MailHint:
    """A mail is due."""


Hint = ShowHint | ClearHint | RequestHint | ConnectionHint | DeliveryHint | IntentHint | DecidedHint | TransactionHint | MailHint
