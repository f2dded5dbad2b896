"""Any merchant, any order of events: the money adds up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Brand, CardFacts, Expiry
from countertop.domain.errors import Invalid, TooLate
from countertop.domain.intent import Action, Intent
from countertop.domain.response import Decision
from countertop.domain.settlement import breakdown, net_amount
from countertop.domain.transaction import (
    Edit,
    Status,
    Transaction,
    begin,
    check_amounts,
    check_edit,
    check_refund,
    edit,
    history_of,
    settle,
)

PAYER = CardFacts(Brand.VISA, "1111", Expiry(2030, 1), b"visa")
parts = st.dictionaries(st.sampled_from([part for part in Part if part is not Part.SURCHARGE]), st.integers(0, 5_000), max_size=4)


class OneCardAtOneMerchant(RuleBasedStateMachine):
    """All transactions of one card, beside a ledger of what really moved, which is kept by adding only."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000_000
        self.transactions: dict[int, Transaction] = {}
        self.moved: dict[int, int] = {}
        self.paid_out = 0
        self.batches = 0

    @rule(
        target=known,
        base=st.integers(1, 10_000),
        more=parts,
        hold=st.booleans(),
        good=st.booleans(),
        rate=st.sampled_from([None, 3000]),
    )
    def charge(self, base: int, more: dict[Part, int], hold: bool, good: bool, rate: int | None) -> int:
        amounts = Amounts(base).changed({part: amount for part, amount in more.items() if part is not Part.BASE})
        return self._make(
            Action.CHARGE, amounts if rate is None else amounts.with_surcharge(rate), hold=hold, good=good, rate=rate
        )

    @rule(target=known, origin=known, sent=parts, hold=st.booleans())
    def refund(self, origin: int, sent: dict[Part, int], hold: bool) -> int:
        amounts = self.transactions[origin].amounts.changed(sent)
        history = history_of(self.transactions.values(), self.now)
        try:
            check_refund(amounts, history)
        except Invalid:
            assert amounts.base == 0 or amounts.total > history.refundable
            return origin
        return self._make(Action.REFUND, amounts, hold=hold, good=True, rate=None)

    @rule(number=known, status=st.sampled_from([None, Status.HOLD, Status.CAPTURE, Status.VOID]), sent=parts)
    def change(self, number: int, status: Status | None, sent: dict[Part, int]) -> None:
        before = self.transactions[number]
        try:
            after = edit(before, Edit(status, sent), self.now)
            check_edit(before, after, history_of(self.transactions.values(), self.now))
        except Invalid:
            return
        assert not before.settled or (status is None and not sent)
        assert after.amounts.part(Part.TAX) == sent.get(Part.TAX, before.amounts.tax)
        self.transactions[number] = after

    @rule(number=consumes(known))
    def settled_alone(self, number: int) -> None:
        transaction = self.transactions[number]
        try:
            self.transactions[number] = settle(transaction, 1_000_000 + number, self.now)
        except TooLate:
            assert transaction.status is not Status.CAPTURE or transaction.settled
        else:
            self._move(transaction)
            self.paid_out += net_amount([transaction])

    @rule()
    def night(self) -> None:
        self.batches += 1
        batch = [each for each in self.transactions.values() if each.status is Status.CAPTURE and not each.settled]
        for each in batch:
            self.transactions[each.id] = settle(each, self.batches, self.now)
            self._move(each)
        self.paid_out += net_amount(batch)
        lines = breakdown(batch)
        assert sum(line.count for line in lines) == len(batch)
        assert sum(line.amount if line.action is Action.CHARGE else -line.amount for line in lines) == net_amount(batch)

    @rule(seconds=st.integers(1, 10**6))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def totals_are_the_sum_of_their_parts(self) -> None:
        for each in self.transactions.values():
            assert each.amounts.total == sum(each.amounts.part(part) for part in Part)
            assert all(each.amounts.part(part) >= 0 for part in Part)
            check_amounts(each.action, each.amounts)

    @invariant()
    def a_surcharge_is_that_of_the_amounts(self) -> None:
        for each in self.transactions.values():
            if each.surcharge_rate is not None:
                assert each.amounts == each.amounts.with_surcharge(each.surcharge_rate)

    @invariant()
    def no_card_gets_more_than_it_gave(self) -> None:
        history = history_of(self.transactions.values(), self.now)
        assert 0 <= history.refunded <= history.charged

    @invariant()
    def what_has_moved_stays_as_it_moved(self) -> None:
        for number, amount in self.moved.items():
            assert self.transactions[number].amounts.total == amount
            assert self.transactions[number].status is Status.CAPTURE

    @invariant()
    def the_merchant_was_paid_what_settled(self) -> None:
        settled = [each for each in self.transactions.values() if each.settled]
        assert self.paid_out == sum(each.charged - each.refunded for each in settled)
        assert {each.id for each in settled} == set(self.moved)

    def _make(self, action: Action, amounts: Amounts, *, hold: bool, good: bool, rate: int | None) -> int:
        number = len(self.transactions) + 1
        decision = Decision("00" if good else "51", authorized=good)
        intent = Intent(number, action, amounts, self.now, 1, "100", hold=hold)
        self.transactions[number] = begin(intent, decision, PAYER, surcharge_rate=rate)
        return number

    def _move(self, transaction: Transaction) -> None:
        assert transaction.id not in self.moved
        self.moved[transaction.id] = transaction.amounts.total


TestOneCardAtOneMerchant = OneCardAtOneMerchant.TestCase
TestOneCardAtOneMerchant.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_total_over_the_ceiling_is_refused_wherever_it_comes_from() -> None:
    with pytest.raises(Invalid):
        check_amounts(Action.CHARGE, replace(Amounts(1), tip=1_000_000_00))
