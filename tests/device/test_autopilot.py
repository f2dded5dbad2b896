"""Customers who act by themselves, at a real terminal over a real WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from countertop.domain.order import PromptOrder
from countertop.domain.request import Outcome, Status
from countertop.gateway.seed import Autopilot
from countertop.protocol.screens import Screen
from countertop.sandbox.autopilot import fly
from countertop.terminal.agent import Agent
from tests import canary
from tests.device.bank import Bank
from tests.device.conftest import Gateway, until
from tests.device.paying import ask, found


@contextlib.asynccontextmanager
async def flying(till: Gateway, language: str = "en") -> AsyncIterator[Agent]:
    """A customer who has a card, and says nothing of anything else."""
    agent = till.terminal()
    await until(agent, lambda view: view.online)
    agent.speak(language)
    customer = asyncio.create_task(fly(agent, Autopilot(after_ms=1, card=canary.BANK), till.clock))
    try:
        yield agent
    finally:
        customer.cancel()
        await asyncio.gather(customer, return_exceptions=True)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_customer_with_a_card_pays_on_credit_without_a_tip(till: Gateway, bank: Bank, language: str) -> None:
    bank.open.set()
    async with flying(till, language):
        request_id = await ask(till, allow_tips=True, debit_credit_prompt=True, show_receipt_prompt=True)
        ended = await till.ended(request_id)
    assert ended.outcome is Outcome.APPROVED
    transaction = await found(till, request_id)
    assert (transaction.network, transaction.rules.amounts.tip) == ("CREDIT", 0)


async def test_a_question_of_the_counters_own_waits_for_a_person(till: Gateway) -> None:
    async with flying(till) as agent:
        request_id = await till.request(PromptOrder("Join the club?", ("Yes", "No")))
        await until(agent, lambda view: view.screen is Screen.PROMPT)
        await till.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)
        assert agent.view.screen is Screen.PROMPT
