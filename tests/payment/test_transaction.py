"""Transactions by the API: made, changed, given back, found; notes, level 3 data, settlement."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Entry
from countertop.domain.clock import DAY, HOUR
from countertop.domain.errors import Invalid, NotFound
from countertop.domain.intent import Action
from countertop.domain.level3 import Item, Level3
from countertop.domain.settlement import BatchLine
from countertop.domain.transaction import AccountType, AchFacts, Status
from countertop.gateway.operations.level3 import add_level3, delete_level3, find_level3
from countertop.gateway.operations.note import add_note, change_note, delete_note, list_notes
from countertop.gateway.operations.receipt import list_signatures, sign_transaction
from countertop.gateway.operations.settlement import find_settlement, list_settlements
from countertop.gateway.operations.transaction import CreateTransaction, StoredTransaction, search_transactions
from countertop.gateway.store import intent as states
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command
from countertop.gateway.store.unit import Unit
from countertop.gateway.timers import SettlementTime
from countertop.testing.host import State
from tests.payment.till import MASTERCARD, Till
from tests.store.world import populate

BASE = {Part.BASE: 10_00}
BANK = 2
"""The number of an account that is closed until `open_bank`."""


async def keyed(till: Till, base: int = 10_00, wanted: Status = Status.CAPTURE, *, number: str = MASTERCARD) -> int:
    card = till.card(number, Entry.KEYED)
    return await till.create(CreateTransaction(Action.CHARGE, wanted, 1, {Part.BASE: base}, card))


async def open_bank(till: Till, kind: str = "ACH") -> None:
    """The merchant's second account is open, and of that type from now on."""

    def change(unit: Unit) -> None:
        unit.run(Command(update(table.terminal).where(table.terminal.c.terminal_id == BANK).values(type=kind, enabled=True)))

    await till.world.store.write(change)


async def faults(till: Till, command: CreateTransaction) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        await till.create(command)
    return [fault.parameter for fault in refusal.value.faults]


async def search(till: Till, **filters: object) -> list[int]:
    found: list[StoredTransaction] = await till.world.store.read(
        search_transactions, till.world.caller.merchant_id, filters, 0, 50
    )
    return [each.rules.id for each in found]


async def test_a_charge_is_held_by_the_host_and_taken_when_it_is_settled(till: Till) -> None:
    number = await keyed(till)
    assert await till.status(number) == (Status.CAPTURE, "00")
    assert till.host.book[number].state is State.HELD
    till.world.now += 1
    assert await till.settle() == 1
    assert await till.settle() == 0
    await till.cashier.drain()
    assert (till.host.book[number].state, await till.states()) == (State.TAKEN, {number: states.CAPTURED})
    found = await till.find(number)
    assert found.rules.settlement_id is not None
    settlement = await till.world.store.read(find_settlement, till.world.caller.merchant_id, found.rules.settlement_id)
    assert (settlement.net, settlement.pending, settlement.terminal_id) == (10_00, False, 1)
    [event] = await till.events("SETTLEMENT")
    assert json.loads(event) == {"settlement_id": settlement.id}


async def test_what_is_held_waits_and_what_is_lowered_is_taken_lower(till: Till) -> None:
    held, lowered = await keyed(till, 20_00, Status.HOLD), await keyed(till, 30_00)
    assert (await till.edit(lowered, amounts={Part.BASE: 25_00, Part.TAX: 1_00})).rules.amounts.total == 26_00
    till.world.now += 1
    await till.settle()
    await till.cashier.drain()
    assert till.host.book[held].state is State.HELD
    assert (till.host.book[lowered].state, till.host.book[lowered].amount) == (State.TAKEN, 26_00)
    await till.edit(held, Status.CAPTURE)
    till.world.now += 1
    await till.settle()
    await till.cashier.drain()
    assert till.host.book[held].state is State.TAKEN
    assert len(await till.world.store.read(list_settlements, till.world.caller.merchant_id, 0, 50)) == 2


async def test_a_batch_says_what_is_in_it(till: Till) -> None:
    charge, void = await keyed(till, 30_00), await keyed(till, 7_00)
    declined = await keyed(till, 5)
    await till.edit(void, Status.VOID)
    refund = await till.refund(charge, {Part.BASE: 4_00})
    till.world.now += 1
    await till.settle()
    merchant = till.world.caller.merchant_id
    [batch] = await till.world.store.read(list_settlements, merchant, 0, 50, 1)
    assert (batch.net, batch.pending) == (26_00, True)
    assert [(line.action, line.status, line.count, line.amount) for line in batch.breakdown] == [
        (Action.CHARGE, "CAPTURED", 1, 30_00),
        (Action.CHARGE, "DECLINED", 1, 5),
        (Action.CHARGE, "VOID", 1, 7_00),
        (Action.REFUND, "CAPTURED", 1, 4_00),
    ]
    assert all(isinstance(line, BatchLine) for line in batch.breakdown)
    await till.cashier.drain()
    assert [till.host.book[number].state for number in (charge, void, declined, refund)] == [
        State.TAKEN,
        State.REVERSED,
        State.DECLINED,
        State.GIVEN,
    ]
    assert not (await till.world.store.read(find_settlement, merchant, batch.id)).pending
    assert await search(till, settlement_id=batch.id) == [refund, declined, void, charge]
    assert await till.world.store.read(list_settlements, merchant, 0, 50, 2) == []


async def test_a_void_is_reversed_and_final(till: Till) -> None:
    number = await keyed(till)
    assert (await till.edit(number, Status.VOID)).rules.status is Status.VOID
    await till.cashier.drain()
    assert till.host.book[number].state is State.REVERSED
    with pytest.raises(Invalid):
        await till.edit(number, Status.CAPTURE)
    wanted = await keyed(till, 11_00, Status.VOID)
    await till.cashier.drain()
    assert await till.status(wanted) == (Status.VOID, "00")
    assert till.host.book[wanted].state is State.REVERSED


async def test_what_is_settled_is_changed_no_more_but_for_its_contacts(till: Till) -> None:
    number = await keyed(till)
    till.world.now += 1
    await till.settle()
    for status, amounts in ((Status.VOID, None), (None, BASE)):
        with pytest.raises(Invalid, match=r"status|amountBase"):
            await till.edit(number, status, amounts)
    found = await till.edit(number, invoice_number="7", billing={"first_name": "Ann"})
    assert (found.rules.details.invoice_number, found.rules.details.billing.first_name) == ("7", "Ann")
    assert await search(till, billing_first_name="Ann") == [number]


async def test_a_total_is_not_raised_above_what_was_authorized(till: Till) -> None:
    number = await keyed(till)
    with pytest.raises(Invalid, match="amountBase"):
        await till.edit(number, amounts={Part.TIP: 1})
    await till.edit(number, amounts={Part.BASE: 8_00})
    assert (await till.edit(number, amounts={Part.TIP: 2_00})).rules.amounts == Amounts(8_00, tip=2_00)


async def test_a_refund_copies_the_parts_that_were_not_sent(till: Till) -> None:
    charge = await till.create(
        CreateTransaction(amounts={Part.BASE: 10_00, Part.TIP: 2_00}, terminal_id=1, card=till.card(MASTERCARD))
    )
    partial = await till.refund(charge, {Part.BASE: 1_00, Part.TIP: 0})
    trap = await till.refund(charge, {Part.BASE: 3_00})
    assert [(await till.find(each)).rules.amounts.total for each in (partial, trap)] == [1_00, 5_00]
    with pytest.raises(Invalid, match="amountBase"):
        await till.refund(charge)
    assert till.host.book[trap].last_four == "5100"
    assert (await till.find(trap)).method == "INSTANT"


async def test_a_refunded_charge_is_not_voided(till: Till) -> None:
    charge = await keyed(till)
    refund = await till.refund(charge, {Part.BASE: 1_00})
    with pytest.raises(Invalid, match="status"):
        await till.edit(charge, Status.VOID)
    await till.edit(refund, Status.VOID)
    await till.edit(charge, Status.VOID)
    await till.cashier.drain()
    assert {booking.state for booking in till.host.book.values()} == {State.REVERSED}


async def test_a_payer_is_charged_again_by_an_earlier_transaction(till: Till) -> None:
    first = await keyed(till)
    till.world.now += HOUR
    again = await till.create(CreateTransaction(original_id=first))
    assert await till.status(again) == (Status.CAPTURE, "00")
    assert (await till.find(again)).rules.amounts == Amounts(10_00)
    assert till.host.book[again].last_four == "5100"


async def test_what_can_not_be_made_is_refused_at_once(till: Till) -> None:
    card = till.card()
    assert await faults(till, CreateTransaction(amounts=BASE, card=card)) == ["terminalId"]
    assert await faults(till, CreateTransaction(amounts=BASE, card=card, terminal_id=2)) == ["terminalId"]
    assert await faults(till, CreateTransaction(amounts=BASE, terminal_id=1)) == ["cardNumber"]
    assert await faults(till, CreateTransaction(card=card, terminal_id=1)) == ["amountBase"]
    assert await faults(till, CreateTransaction(original_id=999)) == ["transactionId"]
    assert await faults(till, CreateTransaction(Action.REFUND, amounts=BASE, card=card, terminal_id=1)) == ["amountBase"]
    assert await till.states() == {}


async def test_a_bank_account_is_no_business_of_the_card_host(till: Till) -> None:
    ach = AchFacts(AccountType.CHECKING, "6789", b"a" * 32)
    await open_bank(till)
    number = await till.create(CreateTransaction(amounts=BASE, ach=ach, ach_type="PPD", terminal_id=BANK))
    assert await till.status(number) == (Status.DECLINED, "57")
    assert number not in till.host.book


async def test_cards_and_bank_accounts_have_accounts_of_their_own(till: Till) -> None:
    await open_bank(till)
    ach = AchFacts(AccountType.CHECKING, "6789", b"a" * 32)
    assert await faults(till, CreateTransaction(amounts=BASE, card=till.card(), terminal_id=BANK)) == ["terminalId"]
    assert await faults(till, CreateTransaction(amounts=BASE, ach=ach, ach_type="PPD", terminal_id=1)) == ["terminalId"]
    with pytest.raises(Invalid):
        await till.order(terminal_id=BANK)
    assert await till.states() == {}


async def test_a_charge_is_refunded_though_its_account_is_of_another_type_now(till: Till) -> None:
    await open_bank(till, "CARD")
    number = await till.create(CreateTransaction(amounts=BASE, card=till.card(), terminal_id=BANK))
    await open_bank(till)
    assert await till.status(await till.refund(number)) == (Status.CAPTURE, "00")


async def test_others_see_nothing(till: Till) -> None:
    number = await keyed(till)
    store, at = till.world.store, till.world.at()
    other, _ = await populate(store, "Other Shop")
    with pytest.raises(NotFound):
        await store.read(list_notes, other.merchant_id, number, 0, 50)
    with pytest.raises(NotFound):
        await store.write(add_note, at, other, number, "mine")
    assert await store.read(search_transactions, other.merchant_id, {}, 0, 50) == []


async def test_transactions_are_searched_by_what_they_hold(till: Till) -> None:
    first = await keyed(till)
    till.world.now += 1_000
    second = await keyed(till, 5)
    assert await search(till) == [second, first]
    assert await search(till, status="DECLINED") == [second]
    assert await search(till, amount_total=10_00, action="CHARGE", last_four="5100", terminal_id=1) == [first]
    assert await search(till, start=till.world.now) == [second]
    assert await search(till, end=till.world.now - 1) == [first]
    assert await search(till, unsettled=True, service="API") == [second, first]
    assert await search(till, transaction_id=first) == [first]
    assert await search(till, invoice_number="none") == []


async def test_notes_are_kept(till: Till) -> None:
    number = await keyed(till)
    store, caller = till.world.store, till.world.caller
    note = await store.write(add_note, till.world.at(), caller, number, "ring twice")
    till.world.now += 1_000
    await store.write(change_note, till.world.at(), caller, number, note.id, "ring once")
    [found] = await store.read(list_notes, caller.merchant_id, number, 0, 50)
    assert (found.note, found.modified - found.created) == ("ring once", 1_000)
    await store.write(delete_note, till.world.at(), caller, number, note.id)
    assert await store.read(list_notes, caller.merchant_id, number, 0, 50) == []


async def test_signatures_are_kept_the_newest_first(till: Till) -> None:
    number = await keyed(till)
    store, caller = till.world.store, till.world.caller
    for strokes in ((((1, 1), (2, 2)),), (((3, 3), (4, 4)),)):
        till.world.now += 1
        await store.write(sign_transaction, till.world.at(), caller, number, strokes, source="REMOTE_CAPTURE", signed_by="Ann")
    found = await store.read(list_signatures, caller.merchant_id, number)
    assert [each.strokes[0][0] for each in found] == [(3, 3), (1, 1)]
    assert len(await till.events("TRANSACTION_SIGNATURE")) == 2
    declined = await keyed(till, 5)
    with pytest.raises(Invalid):
        await store.write(sign_transaction, till.world.at(), caller, declined, (((1, 1),),), source="REMOTE_CAPTURE")


async def test_level_3_data_needs_a_transaction_that_may_have_it(till: Till) -> None:
    number = await keyed(till)
    data = Level3((Item("Book", "B1", "4901", "1", "EA", 10_00, 10_00),))
    store, caller = till.world.store, till.world.caller
    with pytest.raises(Invalid, match="transactionId"):  # the host has not said that it may
        await store.write(add_level3, till.world.at(), caller, number, data)
    with pytest.raises(NotFound):
        await store.read(find_level3, caller.merchant_id, number)
    with pytest.raises(NotFound):
        await store.write(delete_level3, till.world.at(), caller, number)


def test_the_last_settlement_is_the_last_full_hour_of_its_day() -> None:
    time = SettlementTime(20)
    eight = 1_800_043_200_000  # 2027-01-15T20:00:00Z
    assert time.last(eight) == eight
    assert time.last(eight - 1) == eight - DAY
    assert time.last(eight + DAY - 1) == eight
    assert time.next(eight) == eight + DAY
