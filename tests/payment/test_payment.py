"""A payment at a terminal, from the card to the signature, against a processor's host on a socket."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Brand, CardFacts, Entry
from countertop.domain.clock import MINUTE
from countertop.domain.errors import Invalid, TooLate
from countertop.domain.hint import DecidedHint, TransactionHint
from countertop.domain.intent import Action
from countertop.domain.payment import PaymentDecided, TakenCard
from countertop.domain.request import Outcome
from countertop.domain.request import Status as RequestStatus
from countertop.domain.result import Paid
from countertop.domain.transaction import Status
from countertop.gateway.operations.payment import find_decided, take_card
from countertop.gateway.operations.receipt import find_signature
from countertop.gateway.operations.request import expire_requests, press_main
from countertop.gateway.operations.work import LEASE
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command
from countertop.gateway.store.unit import Unit
from countertop.testing.host import State
from tests.payment.till import VISA, Till

STROKES = (((10, 10), (500, 200)), ((1, 1),))


async def test_a_payment_is_approved_signed_and_complete(till: Till) -> None:
    request_id = await till.order(12_34, invoice="A 7", note="by the window", receipt_email="a@example.com")
    assert await till.take(request_id) is None
    await till.cashier.drain()

    view = await till.world.view(request_id)
    number = view.transaction_id
    assert number is not None
    assert (view.status, view.outcome) == (RequestStatus.IN_PROGRESS, None)
    decided = PaymentDecided(True, number, 12_34, signature=True, receipt=True)
    assert till.world.heard(DecidedHint) == [DecidedHint(till.world.terminals[0], request_id, decided)]
    assert till.world.heard(TransactionHint) == [TransactionHint(number)]
    assert till.host.book[number].state is State.HELD

    await till.finish(request_id, Outcome.APPROVED, Paid(number, STROKES, "a@example.com"))

    view = await till.world.view(request_id)
    assert (view.status, view.outcome) == (RequestStatus.COMPLETE, Outcome.APPROVED)
    assert view.result == Paid(number, None, "a@example.com")
    found = await till.find(number)
    assert (found.rules.status, found.rules.amounts, found.service) == (Status.CAPTURE, Amounts(12_34), "SMART_TERMINAL")
    assert isinstance(found.rules.payer, CardFacts)
    assert (found.rules.payer.brand, found.rules.payer.last_four, found.method) == (Brand.VISA, "1881", "CHIP")
    assert (found.receipt_email, found.signed) == ("a@example.com", till.world.now)
    signature = await till.world.store.read(find_signature, till.world.caller.merchant_id, number)
    assert (signature.strokes, signature.total) == (STROKES, 12_34)


async def test_its_events_are_those_of_an_integrator(till: Till) -> None:
    request_id = await till.order()
    await till.take(request_id)
    await till.cashier.drain()
    number = (await till.world.view(request_id)).transaction_id
    assert number is not None
    await till.finish(request_id, Outcome.APPROVED, Paid(number, STROKES))
    await till.finish(request_id, Outcome.APPROVED, Paid(number, STROKES))  # said again, because the answer was lost

    requests = [json.loads(data) for data in await till.events("SMARTTERMINAL_REQUEST")]
    assert requests == [
        {"kind": "payment", "status": "CONNECTING"},
        {"kind": "payment", "status": "IN_PROGRESS"},
        {"kind": "payment", "status": "IN_PROGRESS", "transaction_id": number},
        {"kind": "payment", "status": "COMPLETE", "transaction_id": number, "outcome": "APPROVED"},
    ]
    assert [json.loads(data) for data in await till.events("TRANSACTION")] == [{"transaction_id": number}]
    assert [json.loads(data) for data in await till.events("TRANSACTION_SIGNATURE")] == [{"transaction_id": number}]
    [legacy] = [json.loads(data) for data in await till.events("SMARTTERMINAL_TRANSACTION")]
    assert legacy == {"smart_terminal_id": till.world.terminals[0], "request_id": request_id, "transaction_id": number}


async def test_a_declined_card_has_a_transaction_too(till: Till) -> None:
    request_id = await till.order(5)
    await till.take(request_id)
    await till.cashier.drain()
    view = await till.world.view(request_id)
    assert view.transaction_id is not None
    assert await till.status(view.transaction_id) == (Status.DECLINED, "05")
    with pytest.raises(TooLate):
        await till.finish(request_id, Outcome.APPROVED, Paid(view.transaction_id))
    await till.finish(request_id, Outcome.DECLINED, Paid(view.transaction_id))
    assert await till.world.state(request_id) == (RequestStatus.COMPLETE, Outcome.DECLINED)


async def test_a_card_that_is_said_again_is_charged_once(till: Till) -> None:
    request_id = await till.order()
    assert await till.take(request_id) is None
    assert await till.take(request_id) is None
    await till.cashier.drain()
    decided = await till.take(request_id)
    assert decided is not None
    assert decided.approved
    assert len(till.host.book) == 1
    assert till.host.heard["0100"] == 1
    await till.finish(request_id, Outcome.APPROVED, Paid(decided.transaction_id))
    with pytest.raises(TooLate):
        await till.take(request_id)
    await till.cashier.drain()
    assert till.host.heard["0100"] == 1


async def test_cards_said_at_the_same_moment_are_charged_once(till: Till) -> None:
    request_id = await till.order()
    await asyncio.gather(*(till.take(request_id) for _ in range(8)))
    await till.cashier.drain()
    assert [booking.state for booking in till.host.book.values()] == [State.HELD]


async def test_a_card_counts_even_if_nobody_heard_that_it_was_asked_for(till: Till) -> None:
    request_id = await till.order(heard=False)
    assert await till.take(request_id) is None
    await till.cashier.drain()
    number = (await till.world.view(request_id)).transaction_id
    assert number is not None
    assert (await till.find(number)).rules.status is Status.CAPTURE
    events = await till.world.rows(select(table.event.c.data).where(table.event.c.subject_id == request_id))
    assert [json.loads(data)["status"] for (data,) in events][:2] == ["CONNECTING", "IN_PROGRESS"]


async def test_nobody_stops_a_payment_whose_card_was_taken(till: Till) -> None:
    world = till.world
    till.pause()
    request_id = await till.order()
    await till.take(request_id)
    with pytest.raises(TooLate, match="card has been taken"):
        await world.store.write(press_main, world.at(), world.caller, world.terminals[0])
    with pytest.raises(TooLate):
        await world.finish(request_id, Outcome.CUSTOMER_CANCELLED, None)
    with pytest.raises(TooLate):
        await world.finish(request_id, Outcome.APPROVED, Paid(1))
    assert await world.state(await world.start(interrupt=True)) == (RequestStatus.BUSY, Outcome.TERMINAL_BUSY)


async def test_before_the_card_the_red_cross_and_the_merchant_end_it(till: Till) -> None:
    world = till.world
    first = await till.order()
    await world.finish(first, Outcome.CUSTOMER_CANCELLED, None)
    second = await till.order()
    await world.store.write(press_main, world.at(), world.caller, world.terminals[0])
    assert await world.state(first) == (RequestStatus.COMPLETE, Outcome.CUSTOMER_CANCELLED)
    assert await world.state(second) == (RequestStatus.COMPLETE, Outcome.MERCHANT_CANCELLED)
    with pytest.raises(TooLate):
        await till.take(second)
    assert await till.states() == {}


async def test_the_deadline_waits_for_the_decision_and_ends_it_afterwards(till: Till) -> None:
    world = till.world
    till.pause()
    request_id = await till.order()
    await till.take(request_id)
    for _ in range(3):
        world.now += 2 * MINUTE
        await world.store.write(expire_requests, world.at(), 10)
        assert (await world.state(request_id))[0] is RequestStatus.IN_PROGRESS
    await till.cashier.drain()
    world.now += 10 * MINUTE
    await world.store.write(expire_requests, world.at(), 10)
    view = await world.view(request_id)
    assert (view.status, view.outcome) == (RequestStatus.COMPLETE, Outcome.APPROVED)
    assert view.result == Paid(view.transaction_id or 0)


async def test_a_terminal_that_was_away_finds_its_decision(till: Till) -> None:
    world = till.world
    till.pause()
    request_id = await till.order()
    await till.take(request_id)
    assert await world.store.read(find_decided, list(world.terminals)) == []
    world.now += LEASE
    await till.cashier.drain()
    [hint] = await world.store.read(find_decided, list(world.terminals))
    assert (hint.smart_terminal_id, hint.request_id) == (world.terminals[0], request_id)
    assert hint.decided is not None
    await till.finish(request_id, Outcome.APPROVED, Paid(hint.decided.transaction_id))
    assert await world.store.read(find_decided, list(world.terminals)) == []


async def test_a_tip_comes_on_top_if_it_was_asked_for(till: Till) -> None:
    request_id = await till.order(10_00, tips=True)
    await till.take(request_id, tip=2_00)
    await till.cashier.drain()
    number = (await till.world.view(request_id)).transaction_id or 0
    found = await till.find(number)
    assert found.rules.amounts == Amounts(10_00, tip=2_00)
    assert till.host.book[number].amount == 12_00
    await till.finish(request_id, Outcome.APPROVED, Paid(number))
    with pytest.raises(Invalid, match="tip"):
        await till.take(await till.order(10_00), tip=1)


async def test_a_card_is_keyed_only_where_it_may(till: Till) -> None:
    request_id = await till.order(invoice="1")
    with pytest.raises(Invalid, match="entry"):
        await till.take(request_id, entry=Entry.KEYED)
    await till.world.finish(request_id, Outcome.CUSTOMER_CANCELLED, None)
    keyed = await till.order(keyed=True, invoice="2")
    await till.take(keyed, entry=Entry.KEYED)
    await till.cashier.drain()
    number = (await till.world.view(keyed)).transaction_id or 0
    assert (await till.find(number)).rules.decision.avs is not None


async def test_what_is_no_sealed_card_is_not_taken(till: Till) -> None:
    world = till.world
    request_id = await till.order()
    good = till.card()
    for sealed in (VISA, f"{VISA}.a.b.c", "a.b.c.d.e" * 200, ""):
        with pytest.raises(Invalid, match="sealed") as refusal:
            await world.store.write(
                take_card, world.at(), world.terminals[0], request_id, TakenCard(replace(good, sealed=sealed))
            )
        assert VISA not in str(refusal.value)
    facts = replace(good.facts, last_four=VISA)
    with pytest.raises(Invalid, match="card"):
        await world.store.write(take_card, world.at(), world.terminals[0], request_id, TakenCard(replace(good, facts=facts)))
    assert await till.states() == {}


async def test_the_same_payment_twice_is_declined_without_asking(till: Till) -> None:
    first = await till.pay(10_00, invoice="A")
    second = await till.pay(10_00, invoice="A")
    other_invoice = await till.pay(10_00, invoice="B")
    other_amount = await till.pay(10_01, invoice="A")
    assert [await till.status(number) for number in (first, second, other_invoice, other_amount)] == [
        (Status.CAPTURE, "00"),
        (Status.DECLINED, "DT"),
        (Status.CAPTURE, "00"),
        (Status.CAPTURE, "00"),
    ]
    assert second not in till.host.book
    till.world.now += 10 * MINUTE
    assert await till.status(await till.pay(10_00, invoice="A")) == (Status.CAPTURE, "00")


async def test_a_card_is_not_given_more_than_was_taken_from_it(till: Till) -> None:
    await till.pay(10_00)
    assert await till.status(await till.pay(10_01, Action.REFUND)) == (Status.DECLINED, "13")
    assert await till.status(await till.pay(4_00, Action.REFUND)) == (Status.CAPTURE, "00")
    assert await till.status(await till.pay(6_01, Action.REFUND)) == (Status.DECLINED, "13")
    assert await till.status(await till.pay(6_00, Action.REFUND)) == (Status.CAPTURE, "00")


async def test_nothing_of_a_card_rests_once_it_is_decided(till: Till) -> None:
    await till.pay()
    await till.pay(5)
    sealed = await till.world.rows(select(table.transaction.c.sealed_card))
    assert sealed == [(None,), (None,)]


async def test_a_surcharge_is_taken_of_the_tip_too(till: Till) -> None:
    def switch_on(unit: Unit) -> None:
        unit.run(Command(update(table.terminal).values(surcharge_rate=3000)))

    await till.world.store.write(switch_on)
    request_id = await till.order(10_00, tips=True)
    await till.take(request_id, tip=2_00)
    await till.cashier.drain()
    number = (await till.world.view(request_id)).transaction_id or 0
    assert (await till.find(number)).rules.amounts == Amounts(10_00, tip=2_00, surcharge=36)
    await till.finish(request_id, Outcome.APPROVED, Paid(number))
    without = await till.order(11_00, surcharge=False)
    await till.take(without)
    await till.cashier.drain()
    number = (await till.world.view(without)).transaction_id or 0
    assert (await till.find(number)).rules.amounts.part(Part.SURCHARGE) == 0
