"""What a point of sale and a customer do where payments are taken."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select, update

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.intent import Action
from countertop.domain.money import Cents, Rate
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import PaymentDetails
from countertop.domain.releases import NEWEST
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.payment import start_payment
from countertop.gateway.operations.request import StartRequest
from countertop.gateway.operations.transaction import StoredTransaction, find_transaction
from countertop.gateway.operations.webhook import create_webhook
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query
from countertop.gateway.store.unit import Unit
from countertop.protocol.screens import Screen
from countertop.terminal.agent import Agent
from countertop.terminal.payment.ending import APPROVED_STAYS
from countertop.terminal.view import View
from tests import canary
from tests.device.conftest import CALLER, COUNTER, Gateway, eventually, until

CHIP = PaymentCard(canary.BANK, Expiry(2030, 12), Entry.CHIP)
OTHERS = Caller("merchant of Other Books", "login of Other Books", NEWEST)
_TRANSACTIONS = Query(select(table.transaction.c.id), int)
_EVENTS = Query(
    select(table.event.c.data).where(table.event.c.subject_id == bindparam("request_id")).order_by(table.event.c.sequence), str
)


async def ask(till: Gateway, base: Cents = 10_00, *, terminal: str = COUNTER, caller: Caller = CALLER, **changes: Any) -> str:
    """A point of sale asks for a payment."""
    asked: dict[str, Any] = {"show_receipt_prompt": False, "show_signature_prompt": False, "allow_tips": False, "keyed": True}
    asked |= {"debit_credit_prompt": False, "customer_may_cancel": True}
    order = PaymentOrder(Action.CHARGE, Amounts(base), **asked | changes)
    command = StartRequest(terminal, 1, order, False, 10_000, 60_000)
    return await till.store.write(start_payment, till.parts.moment(), caller, command, PaymentDetails())


async def present(till: Gateway, agent: Agent, base: Cents = 10_00, **changes: Any) -> str:
    """A payment whose card was just inserted, and has arrived."""
    before = await till.store.read(count)
    request_id = await ask(till, base, **changes)
    await until(agent, lambda view: view.request_id == request_id and view.screen is Screen.PRESENT_CARD)
    agent.present(CHIP)
    await eventually(lambda: till.store.read(count), lambda now: now > before)
    return request_id


async def found(till: Gateway, request_id: str) -> StoredTransaction:
    number = (await till.view(request_id)).transaction_id
    assert number is not None
    return await till.store.read(find_transaction, CALLER.merchant_id, number)


def shows(screen: Screen, view: View) -> bool:
    return view.screen is screen


def count(unit: Unit) -> int:
    return len(unit.all(_TRANSACTIONS))


async def listen(till: Gateway) -> None:
    """From here on somebody wants what happens to requests, so that it is written down."""
    url = "https://example.com/journal"
    await till.store.write(create_webhook, till.parts.moment(), CALLER, "SMARTTERMINAL_REQUEST", url, None)


def statuses(unit: Unit, request_id: str) -> list[str]:
    """What a request's events said, one after the other."""
    return [json.loads(data)["status"] for data in unit.all(_EVENTS, request_id=request_id)]


def take_surcharge(unit: Unit, rate: Rate) -> None:
    """From now on every account takes one."""
    unit.run(Command(update(table.terminal).values(surcharge_rate=rate)))


async def approved(till: Gateway, agent: Agent) -> None:
    """The terminal has said that the payment is approved, and goes on."""
    await until(agent, partial(shows, Screen.APPROVED))
    till.clock.advance(APPROVED_STAYS)
