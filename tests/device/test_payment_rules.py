"""What a terminal may not do with a payment, and what it is not told."""

from __future__ import annotations

from base64 import b64decode

import pytest

from countertop.domain.request import Outcome, Status
from countertop.domain.sealed_card import read_key, seal_card
from countertop.gateway.operations.request import press_main
from countertop.protocol.screens import Screen
from tests.device.bank import Bank
from tests.device.conftest import CALLER, COUNTER, OTHER, TOKENS, Gateway, eventually, until
from tests.device.paying import CHIP, OTHERS, ask, count, listen, present, statuses
from tests.device.test_channel import hear, raw


async def test_the_same_card_said_twice_is_charged_once(till: Gateway, bank: Bank) -> None:
    agent = till.terminal()
    request_id = await present(till, agent)
    for _ in range(3):
        await agent.unplug()
        await until(agent, lambda view: not view.online)
        agent.plug()
        await until(agent, lambda view: view.online)

    bank.open.set()

    assert (await till.ended(request_id)).outcome is Outcome.APPROVED
    assert (await till.store.read(count), len(bank.asked)) == (1, 1)


async def test_a_payment_is_not_shown_where_nobody_takes_payments(gateway: Gateway) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)

    request_id = await ask(gateway)

    await gateway.devices.connections.sweep()
    assert (await gateway.view(request_id)).status is Status.CONNECTING
    assert agent.view.screen is Screen.IDLE


@pytest.mark.parametrize("change", [{"tip": 500}, {"entry": "KEYED"}, {"request_id": "00000000-0000-7000-8000-00000000000a"}])
async def test_a_card_that_does_not_fit_its_order_is_refused(till: Gateway, change: dict[str, object]) -> None:
    request_id = await ask(till, keyed=False)
    async with raw(till) as socket:
        assert (await hear(socket))["frame"] == "show"
        await socket.send_json({"frame": "shown", "request_id": request_id})
        await socket.send_json(CARD | {"request_id": request_id} | change)

        answer = await hear(socket)

    assert answer["frame"] == "refused"
    assert await till.store.read(count) == 0


async def test_a_card_shows_that_its_payment_was_on_the_screen(till: Gateway, bank: Bank) -> None:
    await listen(till)
    request_id = await ask(till)
    async with raw(till) as socket:
        assert (await hear(socket))["frame"] == "show"  # and the terminal's `shown` is lost with a node
        await socket.send_json(CARD | {"request_id": request_id})
        await eventually(lambda: till.store.read(count), lambda now: now == 1)
        shown = await till.view(request_id)
        bank.open.set()

        answer = await hear(socket)

    assert (shown.status, shown.sequence) == (Status.IN_PROGRESS, 2)
    assert (answer["frame"], answer["request_id"]) == ("decided", request_id)
    assert await till.store.read(statuses, request_id) == ["CONNECTING", "IN_PROGRESS", "IN_PROGRESS"]


async def test_a_card_of_a_payment_that_has_ended_is_refused(till: Gateway) -> None:
    request_id = await ask(till)
    await till.store.write(press_main, till.parts.moment(), CALLER, COUNTER)
    async with raw(till) as socket:
        await socket.send_json(CARD | {"request_id": request_id})

        assert (await hear(socket))["frame"] == "refused"
    assert await till.store.read(count) == 0


async def test_a_receipt_for_another_address_than_the_orders_is_refused(till: Gateway, bank: Bank) -> None:
    bank.open.set()
    request_id = await ask(till, show_receipt_prompt=True, receipt_email="reader@example.com")
    async with raw(till) as socket:
        sealing = (await hear(socket))["sealing"]
        card = seal_card(CHIP, read_key(sealing["key"].encode()), b64decode(sealing["fingerprint_key"]))
        await socket.send_json(
            CARD | {"request_id": request_id, "sealed": card.sealed, "fingerprint": card.facts.fingerprint.hex()}
        )
        decided = await hear(socket)
        paid = {"kind": "payment", "transaction_id": decided["transaction_id"]}
        finished = {"frame": "finished", "request_id": request_id, "outcome": "APPROVED"}
        await socket.send_json(finished | {"result": paid | {"receipt_email": "thief@example.org"}})
        refused = await hear(socket)
        between = await till.view(request_id)
        await socket.send_json(finished | {"result": paid | {"receipt_email": "reader@example.com"}})
        accepted = await hear(socket)

    assert (decided["receipt"], refused["frame"], between.status) == (True, "refused", Status.IN_PROGRESS)
    assert "example" not in refused["reason"]
    assert (accepted["frame"], (await till.view(request_id)).outcome) == ("accepted", Outcome.APPROVED)


async def test_what_a_terminal_seals_with_is_public_or_its_merchants_own(till: Gateway) -> None:
    await ask(till)
    async with raw(till) as socket:
        sealing = (await hear(socket))["sealing"]
    async with raw(till, token=TOKENS[OTHER]) as socket:
        request_id = await ask(till, terminal=OTHER, caller=OTHERS)
        shown = await hear(socket)

    assert shown["request_id"] == request_id
    assert shown["sealing"]["key"] == sealing["key"]
    assert "PUBLIC KEY" in sealing["key"]
    assert shown["sealing"]["fingerprint_key"] != sealing["fingerprint_key"]


CARD: dict[str, object] = {
    "frame": "card",
    "sealed": "eyJhbGciOiJFQ0RILUVTIn0..aXY.dGV4dA.dGFn",
    "brand": "VISA",
    "last_four": "1881",
    "expiry_year": 2030,
    "expiry_month": 12,
    "fingerprint": "ab" * 32,
    "entry": "CHIP",
}
