"""A receipt that a customer chose at the terminal reaches the address: whatever dies between the commit and the mail server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from countertop.domain.clock import DAY, MINUTE
from countertop.domain.errors import TooLate
from countertop.domain.hint import MailHint
from countertop.domain.invitation import LIFE, Invitation
from countertop.domain.mail import GIVE_UP_AFTER
from countertop.domain.request import Outcome
from countertop.domain.request import Status as RequestStatus
from countertop.domain.result import Paid
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.mail.port import Mailer
from countertop.gateway.mail.postman import Postman
from countertop.gateway.mail.smtp import SmtpMailer
from countertop.gateway.operations.mail import LEASE, claim_mails, order_mail
from countertop.gateway.operations.paper import sign_paper
from countertop.gateway.operations.purge import purge
from countertop.gateway.store import table
from tests.payment.till import Clock, Till
from tests.postbox import SENDER, Postbox, postbox
from tests.store.world import World, opened

ADDRESS = "reader@example.com"
STROKES = (((10, 10), (500, 200)),)


def make_postman(world: World, mailer: Mailer | None, bus: LocalBus | None = None) -> Postman:
    return Postman(world.store, Clock(world), bus or LocalBus(), mailer, node_id=world.node)


def smtp(box: Postbox) -> SmtpMailer:
    return SmtpMailer(box.url, SENDER)


async def approved(till: Till, **order: Any) -> tuple[str, int]:
    """A payment that waits for the customer's last word: its request and its transaction."""
    request_id = await till.order(**{"receipt_email": ADDRESS} | order)
    await till.take(request_id)
    await till.cashier.drain()
    number = (await till.world.view(request_id)).transaction_id
    assert number is not None
    return request_id, number


async def chosen(till: Till) -> int:
    """A payment whose receipt is wanted by mail. Returns the transaction's number."""
    request_id, number = await approved(till)
    await till.finish(request_id, Outcome.APPROVED, Paid(number, STROKES, ADDRESS))
    return number


async def states(world: World) -> list[tuple[str, int, int | None, str | None]]:
    mail = table.mail.c
    found = await world.rows(select(mail.id, mail.state, mail.attempts, mail.due, mail.failure))
    return [row[1:] for row in sorted(found)]


@asynccontextmanager
async def working(postman: Postman) -> AsyncIterator[None]:
    await postman.start()
    try:
        yield
    finally:
        await postman.stop()


async def test_the_receipt_goes_to_the_address_that_the_customer_chose(till: Till) -> None:
    number = await chosen(till)
    assert till.world.heard(MailHint) == [MailHint()]
    assert await states(till.world) == [("PENDING", 0, till.world.now, None)]
    async with postbox() as box:
        await make_postman(till.world, smtp(box)).drain()
    [letter], [message] = box.letters, box.messages
    assert letter.rcpt_tos == [ADDRESS]
    assert (message["To"], message["Reply-To"], message["Subject"]) == (ADDRESS, None, "Receipt from Corner Books: $10.00")
    text = message.get_body(("plain",))
    assert text is not None
    assert f"Transaction: {number}" in text.get_content()
    assert "image/png" in {part.get_content_type() for part in message.walk()}, "the signature is on it"
    assert await states(till.world) == [("SENT", 1, None, None)]


async def test_the_hint_of_the_commit_sends_it_at_once(till: Till) -> None:
    request_id, number = await approved(till)
    bus = LocalBus()
    till.world.publish = bus.publish
    async with postbox() as box, working(make_postman(till.world, smtp(box), bus)):
        await till.finish(request_id, Outcome.APPROVED, Paid(number, None, ADDRESS))
        await box.wait_for(1)


async def test_said_again_by_the_terminal_it_is_owed_once(till: Till) -> None:
    request_id, number = await approved(till)
    for _ in range(2):
        await till.finish(request_id, Outcome.APPROVED, Paid(number, None, ADDRESS))
    assert len(await states(till.world)) == 1


@pytest.mark.parametrize(
    ("order", "address"),
    [
        ({}, "thief@example.org"),
        ({}, f"{ADDRESS}, thief@example.org"),
        ({"receipt_email": ""}, ADDRESS),
        ({"receipt": False}, ADDRESS),
    ],
)
async def test_a_terminal_sends_receipts_only_where_its_order_offers_one(till: Till, order: dict[str, Any], address: str) -> None:
    request_id, number = await approved(till, **order)
    with pytest.raises(TooLate, match="not offered"):
        await till.finish(request_id, Outcome.APPROVED, Paid(number, STROKES, address))
    assert (await till.world.state(request_id))[0] is RequestStatus.IN_PROGRESS
    assert ((await till.find(number)).receipt_email, await states(till.world)) == (None, [])
    await till.finish(request_id, Outcome.APPROVED, Paid(number, STROKES))
    assert await states(till.world) == []


async def test_a_mail_server_that_is_dead_gets_it_when_it_is_back(till: Till) -> None:
    async with postbox() as box:
        port = box.port
    await chosen(till)
    postman = make_postman(till.world, SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER))
    with capture_logs() as logs:
        for attempt, pause in enumerate((MINUTE, 5 * MINUTE, 15 * MINUTE), start=1):
            await postman.drain()
            due = till.world.now + pause
            assert await states(till.world) == [("PENDING", attempt, due, "The mail server did not take the mail.")]
            till.world.now = due
    assert [entry["event"] for entry in logs] == ["a mail was not sent"] * 3
    assert ADDRESS not in str(logs)
    async with postbox(port=port) as back:
        await postman.drain()
        await postman.drain()
    assert len(back.letters) == 1
    assert [state for state, *_ in await states(till.world)] == ["SENT"]


async def test_a_node_that_dies_with_a_mail_in_hand_leaves_it_to_others(till: Till) -> None:
    await chosen(till)
    world = till.world
    assert len(await world.store.write(claim_mails, world.at(node="node-2"), 10)) == 1  # and that was the last of it
    async with postbox() as box:
        postman = make_postman(world, smtp(box))
        await postman.drain()
        assert box.letters == []
        world.now += LEASE
        await postman.drain()
    assert len(box.letters) == 1


async def test_several_nodes_share_the_work(till: Till, url: str) -> None:
    number = await chosen(till)
    world = till.world
    for at in range(30):
        await world.store.write(order_mail, world.at(), world.caller, number, f"reader{at}@example.com", "", False)
    async with postbox() as box, opened(url) as other:
        other.now = world.now
        await asyncio.gather(*(make_postman(one, smtp(box)).drain() for one in (world, other)))
    assert sorted(letter.rcpt_tos[0] for letter in box.letters) == sorted(
        [ADDRESS, *(f"reader{at}@example.com" for at in range(30))]
    )
    assert {state for state, *_ in await states(world)} == {"SENT"}


@pytest.mark.parametrize(("asks", "said"), [(True, "print it, sign on the line"), (False, None)])
async def test_without_an_address_of_its_own_a_server_asks_for_a_signature_on_paper(
    till: Till, asks: bool, said: str | None
) -> None:
    world = till.world
    _, number = await approved(till)
    await world.store.write(order_mail, world.at(), world.caller, number, ADDRESS, "shop@corner.example", asks)
    async with postbox() as box:
        await make_postman(world, smtp(box)).drain()
    [message] = box.messages
    text = message.get_body(("plain",))
    assert text is not None
    assert ("Please sign" in text.get_content()) is asks
    assert said is None or said in text.get_content()


async def test_of_two_who_sign_by_one_invitation_one_does(till: Till) -> None:
    world = till.world
    number = await till.pay()
    invitation = Invitation(world.caller.merchant_id, number, world.now + LIFE)
    signing = (world.store.write(sign_paper, world.at(), invitation, STROKES, "Jane", "127.0.0.1") for _ in range(4))
    outcomes = await asyncio.gather(*signing, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [TooLate] * 3
    assert len(await till.events("TRANSACTION_SIGNATURE")) == 1


async def test_two_copies_of_a_mail_can_be_told(till: Till) -> None:
    await chosen(till)
    world = till.world
    async with postbox("451 later") as box:
        for _ in range(2):
            await make_postman(world, smtp(box)).drain()
            world.now += 5 * MINUTE
    first, second = box.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize(("answer", "state"), [("550 no such user", "GIVEN_UP"), ("451 come back", "PENDING")])
async def test_an_address_that_is_refused_for_good_is_given_up(till: Till, answer: str, state: str) -> None:
    await chosen(till)
    async with postbox(recipient=answer) as box:
        await make_postman(till.world, smtp(box)).drain()
    [(found, attempts, _, failure)] = await states(till.world)
    assert (found, attempts, failure) == (state, 1, "The mail server does not take mails to this address.")


async def test_what_nobody_can_send_is_given_up_in_time_and_forgotten(till: Till) -> None:
    """A server whose mail server is taken out of the settings keeps its promises no longer than three days."""
    await chosen(till)
    world = till.world
    postman = make_postman(world, None)
    with capture_logs() as logs:
        while (await states(world))[0][0] == "PENDING":
            await postman.drain()
            world.now = (await states(world))[0][2] or world.now
    assert (logs[-1]["event"], logs[-1]["reason"]) == (
        "a mail was given up",
        "This server sends no mail: SMTP_URL is not set.",
    )
    assert 70 < len(logs) < 80
    await world.store.write(purge, world.at(), 100)
    assert len(await states(world)) == 1
    world.now += GIVE_UP_AFTER + DAY
    await world.store.write(purge, world.at(), 100)
    assert await states(world) == []
