from __future__ import annotations

import dataclasses
import datetime
import zoneinfo

import pytest

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Brand, CardFacts, Expiry
from countertop.domain.clock import DAY, HOUR, MINUTE
from countertop.domain.contact import Contact
from countertop.domain.duplicate import blocks, key_of
from countertop.domain.errors import Invalid, TooLate
from countertop.domain.intent import Action, Intent
from countertop.domain.level3 import Item, Level3, check_level3
from countertop.domain.response import Decision
from countertop.domain.settlement import BatchLine, breakdown, net_amount, next_settlement
from countertop.domain.transaction import (
    AccountType,
    AchFacts,
    CardHistory,
    Details,
    Edit,
    Payer,
    Status,
    Transaction,
    begin,
    check_amounts,
    check_edit,
    check_refund,
    edit,
    history_of,
    reject,
    settle,
)

NOW = 1_800_000_000_000
VISA = CardFacts(Brand.VISA, "1111", Expiry(2030, 1), b"visa")
BANK = AchFacts(AccountType.CHECKING, "6789", b"bank")
YES = Decision("00", authorized=True, approval_code="PJ20AP", level3_eligible=True)
NO = Decision("05", authorized=False)
PARTS = Amounts(base=10_00, tax=1_00, tip=2_00)


def made(
    action: Action = Action.CHARGE,
    amounts: Amounts = PARTS,
    decision: Decision = YES,
    payer: Payer = VISA,
    *,
    hold: bool = False,
    void: bool = False,
    surcharge_rate: int | None = None,
) -> Transaction:
    intent = Intent(7, action, amounts, NOW, 1, "100", hold=hold, invoice_number="A1")
    return begin(intent, decision, payer, void=void, surcharge_rate=surcharge_rate)


def faults(caught: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(fault.parameter, fault.message) for fault in caught.value.faults]


def test_a_transaction_is_born_captured_held_void_or_declined() -> None:
    assert made().status is Status.CAPTURE
    assert made(hold=True).status is Status.HOLD
    assert made(void=True).status is Status.VOID
    assert made(decision=NO).status is Status.DECLINED
    assert made(decision=NO, void=True).status is Status.DECLINED
    assert made().details.invoice_number == "A1"
    assert (made().authorized, made(decision=NO).authorized) == (13_00, 0)


@pytest.mark.parametrize("wanted", [Status.HOLD, Status.CAPTURE, Status.VOID])
@pytest.mark.parametrize("hold", [True, False])
def test_before_settlement_the_status_can_be_changed(wanted: Status, hold: bool) -> None:
    changed = edit(made(hold=hold), Edit(status=wanted), NOW + 1)
    assert (changed.status, changed.modified, changed.sequence) == (wanted, NOW + 1, 2)
    assert changed.decision == YES, "the response stays that of the authorisation"


def test_a_void_transaction_stays_void() -> None:
    with pytest.raises(Invalid) as caught:
        edit(made(void=True), Edit(status=Status.CAPTURE, amounts={Part.BASE: 1}), NOW)
    assert faults(caught) == [
        ("status", "Status can not be updated because the Transaction is VOID."),
        ("amountBase", "Amount Base can not be updated because the Transaction is VOID."),
    ]
    assert edit(made(void=True), Edit(status=Status.VOID), NOW).status is Status.VOID


def test_after_settlement_only_details_can_be_changed() -> None:
    settled = settle(made(), 99, NOW)
    with pytest.raises(Invalid) as caught:
        edit(settled, Edit(status=Status.VOID, amounts={Part.SURCHARGE_TAX: 1}), NOW)
    assert faults(caught) == [
        ("status", "Status can not be updated because the Transaction has been settled."),
        ("amountSurchargeTax", "Amount Surcharge Tax can not be updated because the Transaction has been settled."),
    ]
    details = Details("B2", "P3", Contact(first_name="Ada"))
    assert edit(settled, Edit(details=details), NOW).details == details


@pytest.mark.parametrize("wanted", [Status.DECLINED, Status.REJECT])
def test_a_merchant_cannot_decline_or_reject(wanted: Status) -> None:
    with pytest.raises(Invalid):
        edit(made(), Edit(status=wanted), NOW)


def test_a_lower_amount_can_be_captured() -> None:
    captured = edit(made(hold=True), Edit(status=Status.CAPTURE, amounts={Part.BASE: 5_00}), NOW)
    assert captured.amounts == Amounts(base=5_00, tax=1_00, tip=2_00)
    assert captured.beyond_authorization == 0


def test_a_higher_amount_tells_what_is_not_authorised() -> None:
    assert edit(made(), Edit(amounts={Part.TIP: 3_50}), NOW).beyond_authorization == 1_50


@pytest.mark.parametrize(
    ("action", "amounts", "message"),
    [
        (Action.CHARGE, Amounts(0), "greater than 0"),
        (Action.REFUND, Amounts(0, tip=1), "greater than 0"),
        (Action.CHARGE, Amounts(1_000_000_00, tip=1), "not be greater than 1,000,000"),
        (Action.VERIFY, Amounts(1), "must be 0"),
    ],
)
def test_amounts_must_fit_the_action(action: Action, amounts: Amounts, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_amounts(action, amounts)
    assert message in faults(caught)[0][1]


def test_a_surcharge_follows_the_amounts_until_it_is_switched_off() -> None:
    charged = made(amounts=Amounts(100_00).with_surcharge(3000), surcharge_rate=3000)
    raised = edit(charged, Edit(amounts={Part.TIP: 10_00}), NOW)
    assert raised.amounts.surcharge == 3_30
    off = edit(raised, Edit(amounts={Part.SURCHARGE: 0}), NOW)
    assert (off.amounts.surcharge, off.surcharge_rate) == (0, None)
    with pytest.raises(Invalid) as caught:
        edit(charged, Edit(amounts={Part.SURCHARGE: 1}), NOW)
    assert faults(caught) == [("amountSurcharge", "amountSurcharge is not allowed on a surcharge-enabled terminal.")]


def test_a_merchants_own_surcharge_where_no_rate_makes_it() -> None:
    assert edit(made(), Edit(amounts={Part.SURCHARGE: 1_00}), NOW).amounts.total == 14_00


# Refunds.


def test_a_refund_gives_back_at_most_what_was_charged() -> None:
    history = history_of([made(), made(amounts=Amounts(5_00)), made(decision=NO), made(hold=True), made(void=True)], NOW)
    assert history == CardHistory(charged=18_00, refunded=0)
    check_refund(Amounts(18_00), history)
    with pytest.raises(Invalid, match="amountBase"):
        check_refund(Amounts(18_01), history)


def test_a_held_refund_counts() -> None:
    history = history_of([made(), made(Action.REFUND, Amounts(13_00), hold=True)], NOW)
    assert history.refundable == 0


def test_charges_older_than_a_year_do_not_count() -> None:
    assert history_of([made()], NOW + 364 * DAY).charged == 13_00
    assert history_of([made()], NOW + 366 * DAY).charged == 0


def test_a_refund_is_not_raised_by_an_edit() -> None:
    refund = made(Action.REFUND, Amounts(5_00))
    assert edit(refund, Edit(amounts={Part.BASE: 4_00}), NOW).refunded == 4_00
    with pytest.raises(Invalid, match="amountBase"):
        edit(refund, Edit(amounts={Part.BASE: 5_01}), NOW)


@pytest.mark.parametrize("change", [Edit(Status.VOID), Edit(Status.HOLD), Edit(amounts={Part.BASE: 1})])
def test_a_refunded_charge_is_not_taken_back(change: Edit) -> None:
    charge = made()
    history = history_of([charge, made(Action.REFUND)], NOW)
    with pytest.raises(Invalid, match="status"):
        check_edit(charge, edit(charge, change, NOW), history)
    check_edit(charge, edit(charge, change, NOW), history_of([charge], NOW))


# Settlement.


@pytest.mark.parametrize(
    "transaction",
    [made(hold=True), made(void=True), made(decision=NO), settle(made(), 1, NOW)],
    ids=["held", "void", "declined", "settled"],
)
def test_only_what_is_captured_settles_and_only_once(transaction: Transaction) -> None:
    with pytest.raises(TooLate):
        settle(transaction, 2, NOW)


def test_a_bank_sends_back_a_settled_account_payment_only() -> None:
    back = reject(settle(made(payer=BANK), 1, NOW), NOW + 1)
    assert (back.status, back.charged) == (Status.REJECT, 0)
    for other in (made(payer=BANK), settle(made(), 1, NOW), back):
        with pytest.raises(TooLate):
            reject(other, NOW)


def test_a_batch_is_broken_down_and_adds_up() -> None:
    batch = [
        made(),
        made(amounts=Amounts(1)),
        made(Action.REFUND, Amounts(4_00)),
        made(decision=NO),
        made(hold=True),
        made(payer=BANK),
    ]
    assert breakdown(batch) == [
        BatchLine(AccountType.CHECKING, Action.CHARGE, "CAPTURED", 1, 13_00),
        BatchLine(Brand.VISA, Action.CHARGE, "CAPTURED", 2, 13_01),
        BatchLine(Brand.VISA, Action.CHARGE, "DECLINED", 1, 13_00),
        BatchLine(Brand.VISA, Action.REFUND, "CAPTURED", 1, 4_00),
    ]
    assert net_amount(batch) == 13_00 + 13_01 - 4_00


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-07T19:59:59-07:00", "2026-03-07T20:00:00-07:00"),
        ("2026-03-07T20:00:00-07:00", "2026-03-08T20:00:00-06:00"),
        ("2026-11-01T00:30:00-06:00", "2026-11-01T20:00:00-07:00"),
    ],
)
def test_settlement_is_at_the_same_hour_of_the_clock_all_year(now: str, due: str) -> None:
    instant = int(datetime.datetime.fromisoformat(now).timestamp() * 1000)
    expected = int(datetime.datetime.fromisoformat(due).timestamp() * 1000)
    assert next_settlement(instant, 20, zoneinfo.ZoneInfo("America/Denver")) == expected


# Duplicates.


def test_a_duplicate_is_the_same_card_amount_and_invoice() -> None:
    intent = Intent(1, Action.CHARGE, PARTS, NOW, 1, "100", invoice_number="A1")
    key = key_of(intent, b"visa")
    assert key == key_of(dataclasses.replace(intent, number=2, created=NOW + HOUR), b"visa")
    assert key != key_of(intent, b"other")
    assert key != key_of(dataclasses.replace(intent, invoice_number="A2"), b"visa")
    assert key != key_of(dataclasses.replace(intent, amounts=Amounts(1)), b"visa")
    assert "visa" not in repr(key)


@pytest.mark.parametrize(
    ("status", "age", "blocked"),
    [
        (Status.CAPTURE, 0, True),
        (Status.HOLD, 10 * MINUTE - 1, True),
        (Status.CAPTURE, 10 * MINUTE, False),
        (Status.DECLINED, 0, False),
        (Status.VOID, 0, False),
    ],
)
def test_a_payment_blocks_its_like_for_ten_minutes(status: Status, age: int, blocked: bool) -> None:
    assert blocks(status, NOW, NOW + age) == blocked


# Level 3.

ITEM = Item("Pens", "P1", "4412", "2", "EACH", amount_unit_cost=1_00, amount_total=2_00)


def test_an_eligible_charge_takes_level_3_data_once() -> None:
    check_level3(made(), Level3((ITEM,), summary_commodity_code="4412", destination_zip="85284-1234"), present=False)
    with pytest.raises(Invalid, match="transactionId"):
        check_level3(made(), Level3((ITEM,)), present=True)


@pytest.mark.parametrize(
    "transaction",
    [
        made(decision=NO),
        made(Action.REFUND),
        settle(made(), 1, NOW),
        made(decision=dataclasses.replace(YES, level3_eligible=False)),
        made(decision=dataclasses.replace(YES, level3_eligible=None)),
    ],
    ids=["declined", "refund", "settled", "not eligible", "unknown"],
)
def test_other_transactions_take_none(transaction: Transaction) -> None:
    with pytest.raises(Invalid, match="transactionId"):
        check_level3(transaction, Level3((ITEM,)), present=False)


@pytest.mark.parametrize(
    ("data", "parameter"),
    [
        (Level3(()), "items"),
        (Level3((ITEM,) * 100), "items"),
        (Level3((dataclasses.replace(ITEM, description="x" * 36),)), "items"),
        (Level3((ITEM,), summary_commodity_code="44120"), "summaryCommodityCode"),
        (Level3((ITEM,), destination_zip="12345678901"), "destinationZip"),
        (Level3((ITEM,), ship_from_zip="a b"), "shipFromZip"),
    ],
)
def test_level_3_data_must_fit(data: Level3, parameter: str) -> None:
    with pytest.raises(Invalid, match=parameter):
        check_level3(made(), data, present=False)
