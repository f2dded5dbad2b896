"""Whatever a host, a connection or a node does in the middle of a payment: a card is charged once or not at all."""

from __future__ import annotations

import asyncio
import os
import sqlite3

import pytest

from countertop.domain.amount import Part
from countertop.domain.clock import HOUR
from countertop.domain.hint import IntentHint
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents
from countertop.domain.response import APPROVED, Decision
from countertop.domain.sealed_card import SealedCard
from countertop.domain.transaction import Status
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.transaction import CreateTransaction, create_transaction
from countertop.gateway.operations.work import FLIGHT, LEASE, begin_sending, claim_work, record_decision, take_up_work
from countertop.gateway.processors.port import Unanswered, Unreachable
from countertop.gateway.store import intent as states
from countertop.gateway.store.trouble import Unavailable
from countertop.testing.host import Quirk, State
from tests.payment.till import Clock, Till, opened_till


async def taken(till: Till, base: Cents = 10_00) -> int:
    """A card was taken and its intent committed; nothing was sent."""
    till.pause()
    await till.take(await till.order(base))
    [number] = await till.states()
    return number


class Script:
    """A processor that does as it is told, and keeps a book of what it did."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.asked: list[int] = []
        self.reversed: list[int] = []
        self.asking = asyncio.Event()
        self.answer = asyncio.Event()
        self.unreachable = False
        self.deaf = 0

    @property
    def bank_accounts(self) -> bool:
        return False

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        assert card is not None
        if self.unreachable:
            raise Unreachable("not there")
        self.asked.append(intent.number)
        self.held.add(intent.number)
        self.asking.set()
        await self.answer.wait()
        return Decision(APPROVED, True, "CODE")

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None: ...

    async def reverse(self, intent: Intent) -> None:
        if self.deaf:
            self.deaf -= 1
            raise Unanswered("what?")
        self.reversed.append(intent.number)
        self.held.discard(intent.number)


def cashier_of(till: Till, script: Script, node: str = "node-1") -> Cashier:
    return Cashier(till.world.store, Clock(till.world), LocalBus(), script, node_id=node, random=os.urandom)


@pytest.mark.parametrize("quirk", [Quirk.SILENT, Quirk.LOST, Quirk.HANG_UP, Quirk.GARBLED, Quirk.OTHER_AMOUNT])
async def test_without_an_answer_it_is_declined_and_reversed(sqlite_url: str, quirk: Quirk) -> None:
    async with opened_till(sqlite_url, quirks={10_00: quirk}, deaf_to_reversals=1) as till:
        number = await till.pay(10_00)
        assert await till.status(number) == (Status.DECLINED, "91")
        assert till.host.book[number].state is State.REVERSED
        assert await till.states() == {number: states.REVERSED}
        assert till.host.heard["0100"] == 1


async def test_a_late_answer_changes_nothing(sqlite_url: str) -> None:
    async with opened_till(sqlite_url, quirks={10_00: Quirk.LATE}) as till:
        number = await till.pay(10_00)
        till.host.release_late()
        other = await till.pay(11_00)
        assert await till.status(number) == (Status.DECLINED, "91")
        assert await till.status(other) == (Status.CAPTURE, "00")
        assert till.host.book[number].state is State.REVERSED


async def test_a_host_that_is_away_declines_and_is_owed_nothing(till: Till) -> None:
    number = await taken(till)
    script = Script()
    script.unreachable = True
    till.world.now += LEASE
    await cashier_of(till, script).drain()
    assert await till.status(number) == (Status.DECLINED, "91")
    assert (await till.states(), script.reversed) == ({number: states.DECIDED}, [])


async def test_an_intent_that_was_never_sent_is_sent_by_another_node(till: Till) -> None:
    number = await taken(till)
    await till.cashier.drain()
    assert number not in till.host.book  # it is still in the first node's hands
    till.world.now += LEASE
    await till.cashier.drain()
    assert await till.status(number) == (Status.CAPTURE, "00")


async def test_what_may_have_been_sent_is_reversed_and_never_sent_again(till: Till) -> None:
    number = await taken(till)
    assert await till.world.store.write(begin_sending, till.world.at(), number) is not None
    # Here the first node dies. Whether its question reached the host nobody knows.
    await till.cashier.drain()
    assert number not in till.host.book
    till.world.now += LEASE
    await till.cashier.drain()
    assert await till.status(number) == (Status.DECLINED, "91")
    assert till.host.book[number].state is State.REVERSED
    assert till.host.heard["0100"] == 0


async def test_a_node_that_died_with_the_answer_in_hand_is_made_good(till: Till) -> None:
    number = await taken(till)
    world = till.world
    work = await world.store.write(begin_sending, world.at(), number)
    assert work is not None
    processor = till.cashier._processor  # noqa: SLF001 - what the dead node said to the host
    assert (await processor.authorise(work.intent, work.card)).approved
    assert till.host.book[number].state is State.HELD
    world.now += LEASE
    await till.cashier.drain()
    assert await till.status(number) == (Status.DECLINED, "91")
    assert till.host.book[number].state is State.REVERSED


async def test_an_answer_that_comes_after_the_lease_is_reversed_once_more(till: Till) -> None:
    number = await taken(till)
    world, script = till.world, Script()
    slow, other = cashier_of(till, script), cashier_of(till, script, "node-2")
    world.now += LEASE
    draining = asyncio.create_task(slow.drain())
    await script.asking.wait()
    world.now += LEASE
    await other.drain()  # takes the question for lost
    assert await till.states() == {number: states.REVERSED}
    script.held.add(number)  # the slow node's question reaches the host only now
    script.answer.set()
    await draining
    await other.drain()
    assert await till.status(number) == (Status.DECLINED, "91")
    assert (script.held, await till.states()) == (set(), {number: states.REVERSED})


async def test_two_nodes_send_a_question_once(till: Till) -> None:
    number = await taken(till)
    script = Script()
    script.answer.set()
    till.world.now += LEASE
    await asyncio.gather(*(cashier_of(till, script, f"node-{at}").drain() for at in range(4)))
    assert script.asked == [number]
    assert await till.status(number) == (Status.CAPTURE, "00")


async def test_a_node_that_slept_does_not_send_what_others_take_for_lost(till: Till) -> None:
    number = await taken(till)
    world, script = till.world, Script()
    work = await world.store.write(begin_sending, world.at(), number)
    assert work is not None
    world.now += LEASE
    await cashier_of(till, script)._authorise(work)  # noqa: SLF001 - the moment after waking up
    assert script.asked == []


async def test_an_intent_waits_for_the_store_and_not_for_its_lease(sqlite_url: str) -> None:
    async with opened_till(sqlite_url) as till:
        number = await taken(till)
        world, bus, script = till.world, LocalBus(), Script()
        script.answer.set()
        cashier = Cashier(world.store, Clock(world), bus, script, node_id="node-1", random=os.urandom)
        await cashier.start()
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        bus.publish([IntentHint(number)])
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):  # and so was the cashier, who came before
            await world.store.write(begin_sending, world.at(), number)
        other.execute("ROLLBACK")
        other.close()
        await asyncio.wait_for(script.asking.wait(), 10)
        await cashier.stop()
        assert await till.status(number) == (Status.CAPTURE, "00")


async def test_a_node_that_stops_gives_up_what_it_asked(till: Till) -> None:
    number = await taken(till)
    world, script = till.world, Script()
    stopping, other = cashier_of(till, script), cashier_of(till, script, "node-2")
    world.now += LEASE
    draining = asyncio.create_task(stopping.drain())
    await script.asking.wait()
    await stopping.stop(within_s=0)
    await draining
    assert (stopping.in_hand, await till.states()) == (0, {number: states.SENDING})
    await other.drain()
    assert (script.asked, script.reversed) == ([number], [])  # the question may still be under way
    world.now += FLIGHT
    await other.drain()
    assert await till.status(number) == (Status.DECLINED, "91")
    assert (script.asked, script.held, await till.states()) == ([number], set(), {number: states.REVERSED})


async def test_what_comes_to_a_node_that_stops_is_taken_by_another(till: Till) -> None:
    number = await taken(till)
    bus, script = LocalBus(), Script()
    script.answer.set()
    stopping = Cashier(till.world.store, Clock(till.world), bus, script, node_id="node-1", random=os.urandom)
    await stopping.start()
    stop = asyncio.create_task(stopping.stop())
    await asyncio.sleep(0)
    bus.publish([IntentHint(number)])
    await stop
    assert script.asked == []
    await cashier_of(till, script, "node-2").drain()
    assert await till.status(number) == (Status.CAPTURE, "00")


async def test_a_node_that_stops_finishes_what_it_can(till: Till) -> None:
    number = await taken(till)
    script = Script()
    stopping = cashier_of(till, script)
    till.world.now += LEASE
    draining = asyncio.create_task(stopping.drain())
    await script.asking.wait()
    stop = asyncio.create_task(stopping.stop())
    script.answer.set()
    await asyncio.gather(stop, draining)
    assert await till.status(number) == (Status.CAPTURE, "00")


async def test_the_only_node_takes_up_everything_at_once(till: Till) -> None:
    sent = await taken(till)
    world, script = till.world, Script()
    script.answer.set()
    assert await world.store.write(begin_sending, world.at(), sent) is not None
    intended = await world.store.write(create_transaction, world.at(), world.caller, keyed(till))
    # Here the node is killed.
    assert await world.store.write(take_up_work, world.at()) == 2
    await cashier_of(till, script).drain()
    assert (script.asked, script.reversed) == ([intended], [])
    world.now += FLIGHT
    await cashier_of(till, script).drain()
    assert [await till.status(number) for number in (sent, intended)] == [(Status.DECLINED, "91"), (Status.CAPTURE, "00")]
    assert (script.asked, script.reversed) == ([intended], [sent])


def keyed(till: Till) -> CreateTransaction:
    return CreateTransaction(amounts={Part.BASE: 11_00}, card=till.card(), terminal_id=1)


async def test_a_reversal_is_said_until_it_is_heard(till: Till) -> None:
    number = await taken(till)
    world, script = till.world, Script()
    script.deaf = 12
    await world.store.write(begin_sending, world.at(), number)
    world.now += LEASE
    cashier = cashier_of(till, script)
    await cashier.drain()
    assert await till.status(number) == (Status.DECLINED, "91")  # the customer does not wait for it
    for _ in range(12):
        assert await till.states() == {number: states.REVERSING}
        world.now += HOUR
        await cashier.drain()
    assert (await till.states(), script.reversed) == ({number: states.REVERSED}, [number])


async def test_a_decision_counts_once(till: Till) -> None:
    number = await taken(till)
    world = till.world
    await world.store.write(begin_sending, world.at(), number)
    yes, no = Decision(APPROVED, True, "CODE"), Decision("05", False)
    told = await asyncio.gather(*(world.store.write(record_decision, world.at(), number, each) for each in (yes, no, yes)))
    assert told == [True, False, False]
    assert await till.status(number) == (Status.CAPTURE, "00")
    assert len(await till.events("TRANSACTION")) == 1


async def test_a_question_is_claimed_by_one_node(till: Till) -> None:
    await taken(till)
    world = till.world
    world.now += LEASE
    moments = [Moment(world.now, os.urandom, f"node-{at}") for at in range(8)]
    claims = await asyncio.gather(*(world.store.write(claim_work, at, 10) for at in moments))
    assert sum(map(len, claims)) == 1


async def test_a_sealed_card_of_another_key_is_no_card(till: Till) -> None:
    request_id = await till.order()
    from joserfc.jwk import ECKey

    from countertop.domain.card import Entry, Expiry, PaymentCard
    from countertop.domain.payment import TakenCard
    from countertop.domain.sealed_card import seal_card
    from countertop.gateway.operations.payment import take_card
    from tests.payment.till import VISA

    card = seal_card(PaymentCard(VISA, Expiry(2030, 1), Entry.TAP), ECKey.generate_key("P-256"), till.key)
    world = till.world
    await world.store.write(take_card, world.at(), world.terminals[0], request_id, TakenCard(card))
    await till.cashier.drain()
    number = (await world.view(request_id)).transaction_id
    assert number is not None
    assert await till.status(number) == (Status.DECLINED, "14")


async def test_a_refund_that_is_not_answered_is_reversed_too(sqlite_url: str) -> None:
    async with opened_till(sqlite_url, quirks={4_00: Quirk.SILENT}) as till:
        await till.pay(10_00)
        number = await till.pay(4_00, Action.REFUND)
        assert await till.status(number) == (Status.DECLINED, "91")
        assert till.host.book[number].state is State.REVERSED
