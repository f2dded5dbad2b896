"""Payments over real WebSockets, a real store and a processor that answers when it is let: one card, one question, one answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from countertop.domain.errors import TooLate
from countertop.domain.hint import DecidedHint, Hint
from countertop.domain.request import Outcome, Status
from countertop.domain.result import Paid
from countertop.gateway.operations.request import press_main
from countertop.protocol.screens import Screen
from countertop.terminal.view import Key
from tests import canary
from tests.device.bank import Bank
from tests.device.conftest import CALLER, COUNTER, Gateway, eventually, gateway_at, until
from tests.device.paying import CHIP, approved, ask, count, found, present, shows, take_surcharge


async def test_a_card_is_charged(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    agent = till.terminal()
    request_id = await present(till, agent)

    await until(agent, lambda view: view.screen is Screen.APPROVED)

    ended = await till.ended(request_id)
    assert (ended.status, ended.outcome) == (Status.COMPLETE, Outcome.APPROVED)
    transaction = await found(till, request_id)
    assert (transaction.rules.amounts.total, transaction.rules.decision.code) == (10_00, "00")
    assert len(bank.asked) == 1


async def test_tip_signature_and_receipt_reach_the_transaction(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    agent = till.terminal()
    address = "reader@example.com"
    request_id = await ask(
        till,
        allow_tips=True,
        show_signature_prompt=True,
        show_receipt_prompt=True,
        receipt_email=address,
        debit_credit_prompt=True,
    )
    for screen, key in ((Screen.TIP, Key.BUTTON_3), (Screen.PROMPT, Key.BUTTON_2)):
        await until(agent, partial(shows, screen))
        agent.press(key)
    assert agent.view.headline == "$12.00"
    agent.present(CHIP)
    await approved(till, agent)
    await until(agent, lambda view: view.screen is Screen.SIGNATURE)
    between = await till.view(request_id)
    assert (between.status, between.transaction_id is not None) == (Status.IN_PROGRESS, True)
    agent.draw([((1, 2), (3, 4))])
    agent.press(Key.ENTER)
    await until(agent, lambda view: view.screen is Screen.RECEIPT)
    agent.press(Key.BUTTON_1)

    ended = await till.ended(request_id)

    assert ended.outcome is Outcome.APPROVED
    assert isinstance(ended.result, Paid)
    assert ended.result.receipt_email == address
    transaction = await found(till, request_id)
    assert (transaction.rules.amounts.tip, transaction.rules.amounts.total) == (2_00, 12_00)


async def test_the_screen_shows_the_surcharge_that_is_charged(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    await till.store.write(take_surcharge, 3_000)
    agent = till.terminal()
    request_id = await ask(till, allow_tips=True)
    await until(agent, partial(shows, Screen.TIP))
    assert agent.view.lines == ("$10.30",)
    agent.press(Key.BUTTON_3)
    await until(agent, partial(shows, Screen.PRESENT_CARD))
    shown = agent.view.headline
    agent.present(CHIP)
    await approved(till, agent)

    await till.ended(request_id)

    amounts = (await found(till, request_id)).rules.amounts
    assert (shown, amounts.total, amounts.surcharge) == ("$12.36", 12_36, 36)


async def test_a_declined_payment_ends_at_once(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    agent = till.terminal()
    request_id = await present(till, agent, 8, show_signature_prompt=True)

    await until(agent, lambda view: view.screen is Screen.DECLINED)

    assert (await till.ended(request_id)).outcome is Outcome.DECLINED


async def test_a_card_is_typed(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    agent = till.terminal()
    request_id = await ask(till)
    await until(agent, lambda view: view.screen is Screen.PRESENT_CARD)
    agent.press(Key.CLEAR)
    for text in (canary.BANK, "1230", "999"):
        for digit in text:
            agent.press(Key(digit))
        agent.press(Key.ENTER)

    assert (await till.ended(request_id)).outcome is Outcome.APPROVED
    assert (await found(till, request_id)).method == "KEYED"


async def test_the_same_card_and_amount_at_once_again_are_declined_without_a_question(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    agent = till.terminal()
    await till.ended(await present(till, agent))

    request_id = await present(till, agent)

    assert (await till.ended(request_id)).outcome is Outcome.DECLINED
    assert len(bank.asked) == 1


async def test_once_the_card_is_in_nobody_stops_the_payment(till: Gateway, bank: Bank) -> None:
    agent = till.terminal()
    request_id = await present(till, agent)
    await until(agent, lambda view: view.screen is Screen.PROCESSING)
    agent.press(Key.CANCEL)
    with pytest.raises(TooLate):
        await till.store.write(press_main, till.parts.moment(), CALLER, COUNTER)

    bank.open.set()

    assert (await till.ended(request_id)).outcome is Outcome.APPROVED


async def test_a_card_that_is_typed_can_be_given_up_before(till: Gateway) -> None:
    agent = till.terminal()
    request_id = await ask(till)
    await until(agent, lambda view: view.screen is Screen.PRESENT_CARD)
    agent.press(Key.CLEAR)
    agent.press(Key("4"))
    agent.press(Key.CANCEL)

    assert (await till.ended(request_id)).outcome is Outcome.CUSTOMER_CANCELLED
    assert await till.store.read(count) == 0


# Connections that are lost, gateways that are restarted, hints that go astray.


async def test_a_decision_that_comes_while_the_terminal_is_away_is_heard_on_its_return(till: Gateway, bank: Bank) -> None:
    agent = till.terminal()
    request_id = await present(till, agent, show_signature_prompt=True)
    await agent.unplug()
    await until(agent, lambda view: not view.online)
    bank.open.set()
    await till.settled(request_id, lambda view: view.sequence == 3)
    assert agent.view.screen is Screen.PROCESSING

    agent.plug()

    await approved(till, agent)
    await until(agent, lambda view: view.screen is Screen.SIGNATURE)
    assert len(bank.asked) == 1


async def test_a_card_that_was_taken_offline_is_charged_on_the_terminals_return(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    agent = till.terminal()
    request_id = await ask(till)
    await until(agent, lambda view: view.screen is Screen.PRESENT_CARD)
    await till.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)
    await agent.unplug()
    await until(agent, lambda view: not view.online)
    agent.present(CHIP)
    assert await till.store.read(count) == 0

    agent.plug()

    assert (await till.ended(request_id)).outcome is Outcome.APPROVED
    assert (await till.store.read(count), len(bank.asked)) == (1, 1)


async def test_a_terminal_started_anew_is_told_and_asks_for_no_card(till: Gateway, bank: Bank) -> None:
    agent = till.terminal()
    request_id = await present(till, agent, show_signature_prompt=True)
    await agent.unplug()
    other = till.terminal()
    await until(other, lambda view: view.request_id == request_id and view.screen is Screen.PROCESSING)

    bank.open.set()

    await approved(till, other)
    await until(other, lambda view: view.screen is Screen.SIGNATURE)
    assert len(bank.asked) == 1


async def test_a_decision_outlives_the_gateway_that_heard_it(data: Path, bank: Bank) -> None:
    bank.open.set()
    async with gateway_at(data, acquirer=bank.acquirer) as first:
        agent = first.terminal()
        request_id = await present(first, agent, show_signature_prompt=True)
        await approved(first, agent)
        await until(agent, lambda view: view.screen is Screen.SIGNATURE)
    async with gateway_at(data, node_id="node-2", acquirer=bank.acquirer) as second:
        other = second.terminal()

        await approved(second, other)
        view = await until(other, lambda view: view.screen is Screen.SIGNATURE)

        assert view.request_id == request_id
    assert len(bank.asked) == 1


@pytest.mark.parametrize("kept", [False, True])
async def test_a_decision_is_heard_although_its_hint_is_lost_or_comes_from_another_node(
    data: Path, bank: Bank, kept: bool
) -> None:
    held: list[Hint] = []

    def lose(hint: Hint) -> bool:
        if isinstance(hint, DecidedHint) and not (kept and hint.decided is None):
            held.append(hint)
            return True
        return False

    bank.open.set()
    async with gateway_at(data, acquirer=bank.acquirer, lose=lose) as till:
        agent = till.terminal()
        request_id = await present(till, agent)
        await eventually(lambda: _of(lambda: len(held)), bool)
        assert agent.view.screen is Screen.PROCESSING

        if kept:
            till.parts.bus.publish([DecidedHint(COUNTER, request_id)])
        else:
            await until_noted(till, Screen.PROCESSING)
            await till.devices.connections.sweep()

        assert (await till.ended(request_id)).outcome is Outcome.APPROVED


async def until_noted(till: Gateway, screen: Screen) -> None:
    """Until the gateway knows what the terminal shows."""
    channels = till.devices.connections._channels  # noqa: SLF001 - nobody else says so without asking the store
    await eventually(lambda: _of(lambda: channels[COUNTER].screen), lambda known: known is screen)


async def _of(ask: Callable[[], Any]) -> Any:
    return ask()
