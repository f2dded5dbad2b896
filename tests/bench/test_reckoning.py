"""What the fault harness would say if money were lost, taken twice or taken unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bench.fault.bank import Bank, bank
from bench.fault.life import Payment
from countertop.testing.host import Booking, State

NUMBER = 7


@pytest.fixture
def book() -> Iterator[Bank]:
    with bank() as opened:
        yield opened


def paid(book: Bank) -> Payment:
    """A payment that everybody agrees on."""
    payment = Payment(1, 0.0, acknowledged=0.1)
    payment.end = {"status": "COMPLETE", "outcome": "APPROVED", "transactionId": NUMBER}
    response = {"approved": True, "code": "00"}
    payment.transactions = [{"transactionId": NUMBER, "status": "CAPTURE", "amountTotal": "10.01", "response": response}]
    book.host.book[NUMBER] = Booking(State.HELD, payment.amount)
    book.host.heard["0100"] = 1
    return payment


def decline(payment: Payment, _: Bank) -> None:
    payment.end = {"status": "COMPLETE", "outcome": "DECLINED", "transactionId": NUMBER}
    payment.transactions[0] |= {"status": "DECLINED", "response": {"approved": False, "code": "91"}}


def refuse(payment: Payment, book: Bank) -> None:
    decline(payment, book)
    book.host.book[NUMBER] = Booking(State.DECLINED, payment.amount)
    payment.transactions[0]["response"] = {"approved": False, "code": "05"}


def forget(_: Payment, book: Bank) -> None:
    book.host.book.clear()
    book.host.heard.clear()


def charge_another(_: Payment, book: Bank) -> None:
    book.host.book[8] = Booking(State.HELD, 10_01)


def ask_twice(_: Payment, book: Bank) -> None:
    book.host.heard["0100"] = 2


def double(payment: Payment, _: Bank) -> None:
    payment.transactions *= 2


def lose(payment: Payment, _: Bank) -> None:
    payment.transactions = []


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (decline, "declined, and charged"),
        (refuse, "payments declined with 05"),
        (forget, "approved, and not charged"),
        (charge_another, "charged, and nobody knows of it"),
        (ask_twice, "asked more than once"),
        (double, "payments with 2 transactions"),
        (lose, "payments with 0 transactions"),
    ],
)
def test_money_that_does_not_add_up_is_found(book: Bank, spoil: Callable[[Payment, Bank], None], finding: str) -> None:
    payment = paid(book)
    assert book.agrees([payment])

    spoil(payment, book)

    assert finding in book.audit([payment])


def test_a_reversed_payment_adds_up(book: Bank) -> None:
    payment = paid(book)
    decline(payment, book)
    book.host.book[NUMBER] = Booking(State.REVERSED, payment.amount)
    assert book.agrees([payment])
