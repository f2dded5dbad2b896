"""The outbox: what is owed, to whom, in which order, and who has it in hand."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from countertop.domain.clock import DAY, HOUR, SECOND
from countertop.domain.delivery import Delivery
from countertop.domain.hint import DeliveryHint
from countertop.domain.order import ReadOrder
from countertop.domain.webhook import Attempt
from countertop.gateway.operations.delivery import (
    LEASE_MS,
    claim_deliveries,
    deliver_again,
    let_go_deliveries,
    next_due,
    record_attempt,
)
from countertop.gateway.operations.webhook import delete_webhook
from countertop.gateway.store import table
from tests.store.world import CARD, SECRET, World, populate


def answered(world: World, status: int | None = 204) -> Attempt:
    return Attempt(world.now, 12, status, None if status else "refused", b"thanks" if status else b"")


def leased(world: World) -> list[Delivery]:
    return [delivery for hint in world.heard(DeliveryHint) for delivery in hint.leased]


async def claim(
    world: World, *, limit: int = 100, each: int = 100, busy: tuple[str, ...] = (), node: str = "n"
) -> list[Delivery]:
    return await world.store.write(claim_deliveries, world.at(node=node), limit=limit, each=each, busy=busy)


async def tried(world: World, delivery: Delivery, status: int | None = 204) -> Delivery | None:
    return await world.store.write(record_attempt, world.at(), delivery, answered(world, status))


async def test_what_nobody_subscribed_to_is_not_written_down(world: World) -> None:
    await world.subscribe(event="TRANSACTION")
    request_id = await world.start()
    await world.show(request_id)
    await world.finish(request_id)
    assert await world.rows(select(table.event.c.id)) == []
    assert await world.rows(select(table.delivery.c.event_id)) == []
    assert not world.heard(DeliveryHint)


async def test_who_subscribes_while_a_request_runs_is_owed_what_happens_from_then_on(world: World) -> None:
    request_id = await world.start()
    await world.subscribe()
    await world.show(request_id)
    assert [(owed.subject_id, owed.sequence) for owed in leased(world)] == [(request_id, 2)]
    await world.finish(request_id)
    following = await tried(world, leased(world)[0])
    assert following is not None
    assert (following.sequence, following.result) == (3, CARD)


async def test_each_endpoint_is_owed_each_event_and_this_node_has_it_in_hand(world: World) -> None:
    hooks = [await world.subscribe("https://a.example/"), await world.subscribe("https://b.example/", None)]
    request_id = await world.start()
    deliveries = leased(world)
    assert [(owed.webhook_id, owed.url, owed.secret) for owed in deliveries] == [
        (hooks[0].id, "https://a.example/", SECRET),
        (hooks[1].id, "https://b.example/", None),
    ]
    assert {(owed.subject_id, owed.sequence, owed.attempts) for owed in deliveries} == {(request_id, 1, 0)}
    assert await claim(world) == []


async def test_only_the_merchant_s_own_endpoints_hear_of_it(world: World) -> None:
    hook = await world.subscribe()
    stranger, terminals = await populate(world.store, "Another Shop")
    world.caller, mine = stranger, world.caller
    await world.start(terminals[0])
    assert not leased(world)
    world.caller = mine
    await world.start()
    assert [owed.webhook_id for owed in leased(world)] == [hook.id]


async def test_a_lease_that_ran_out_is_anybody_s(world: World) -> None:
    await world.subscribe()
    await world.start()
    assert await world.store.read(next_due) == world.now + LEASE_MS
    world.now += LEASE_MS
    assert await claim(world) == leased(world)
    assert await claim(world) == []


async def test_what_is_given_back_is_anybody_s_at_once(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    await world.show(request_id)
    (first,) = leased(world)
    await world.store.write(let_go_deliveries, world.at(), [first])
    assert await claim(world) == [first]  # the second still waits behind it


async def test_what_was_attempted_meanwhile_is_not_given_back(world: World) -> None:
    await world.subscribe()
    await world.start()
    (first,) = leased(world)
    await tried(world, first)
    await world.store.write(let_go_deliveries, world.at(), [first])
    assert await claim(world) == []


async def test_a_claimed_delivery_is_whole(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    first = leased(world)[0]
    await world.show(request_id)
    await world.finish(request_id)
    second = await tried(world, first)
    assert second is not None
    third = await tried(world, second)
    assert third is not None
    assert (third.sequence, third.result, third.secret) == (3, CARD, SECRET)
    assert third.data == {"kind": "read", "status": "COMPLETE", "outcome": "CARD_READ"}
    assert await tried(world, third) is None
    assert await world.store.read(next_due) is None


async def test_events_of_a_request_wait_for_the_one_before(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    await world.show(request_id)
    (first,) = leased(world)
    assert await tried(world, first, 500) is None
    world.now += 30 * SECOND
    assert [owed.sequence for owed in await claim(world)] == [1]
    world.now += LEASE_MS
    (again,) = await claim(world)
    assert again.attempts == 1
    second = await tried(world, again)
    assert second is not None
    assert second.sequence == 2
    assert await claim(world) == []


def following(world: World) -> list[Delivery]:
    return [delivery for hint in world.heard(DeliveryHint) for delivery in hint.following]


async def test_what_waits_behind_another_is_known_without_being_looked_up(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    await world.show(request_id)
    (first,), (second,) = leased(world), following(world)
    assert (second.subject_id, second.sequence) == (request_id, 2)

    taken = await world.store.write(record_attempt, world.at(), first, answered(world), second)

    assert taken is second
    assert await claim(world) == []
    world.now += LEASE_MS
    assert await claim(world) == [second]


async def test_what_was_thought_to_come_next_is_looked_up_if_it_does_not_wait(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    await world.show(request_id)
    await world.finish(request_id)
    (first,), (second, third) = leased(world), following(world)
    assert await world.store.write(record_attempt, world.at(), first, answered(world), second) is second

    found = await world.store.write(record_attempt, world.at(), second, answered(world), second)

    assert found == third
    assert found is not third


async def test_an_event_after_an_acknowledged_one_goes_at_once(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    assert await tried(world, leased(world)[0]) is None
    world.hints.clear()
    await world.show(request_id)
    assert [owed.sequence for owed in leased(world)] == [2]


async def test_endpoints_do_not_wait_for_one_another(world: World) -> None:
    for name in "ab":
        await world.subscribe(f"https://{name}.example/")
    request_id = await world.start()
    await world.show(request_id)
    slow, quick = leased(world)
    following = await tried(world, quick)
    assert following is not None
    assert (following.webhook_id, following.sequence) == (quick.webhook_id, 2)
    assert await tried(world, slow, None) is None


async def test_attempts_are_recorded_and_given_up_after_three_days(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    await world.show(request_id)
    (owed,) = leased(world)
    attempts = 0
    following = None
    while following is None:
        assert world.now < owed.created + 3 * DAY + 2 * HOUR
        following = await tried(world, owed, 503)
        attempts += 1
        due = await world.store.read(next_due)
        assert due is not None
        world.now = due
        if following is None:
            (owed,) = await claim(world)
            assert owed.attempts == attempts
    assert following.sequence == 2
    columns = table.attempt.c
    rows = await world.rows(select(columns.number, columns.status, columns.duration, columns.answer).order_by(columns.number))
    assert rows == [(number, 503, 12, b"thanks") for number in range(1, attempts + 1)]
    assert attempts > 70
    states = await world.rows(select(table.delivery.c.state).where(table.delivery.c.event_id == owed.event_id))
    assert states == [("GIVEN_UP",)]


async def test_of_two_attempts_at_once_one_counts(world: World) -> None:
    await world.subscribe()
    request_id = await world.start()
    await world.show(request_id)
    (owed,) = leased(world)
    assert await tried(world, owed) is not None
    assert await tried(world, owed, 500) is None
    assert await world.rows(select(table.attempt.c.status)) == [(204,)]


async def test_claims_are_limited_and_pass_over_busy_endpoints(world: World) -> None:
    hooks = [await world.subscribe(f"https://{name}.example/") for name in "ab"]
    for _ in range(4):
        await world.start(order=ReadOrder(), interrupt=True)
        world.now += 1
    world.now += LEASE_MS + 1
    assert await world.store.read(next_due, [hook.id for hook in hooks]) is None
    first = await claim(world, limit=3, each=1)
    assert sorted(owed.webhook_id for owed in first) == sorted(hook.id for hook in hooks)
    second = await claim(world, busy=(hooks[0].id,))
    assert {owed.webhook_id for owed in second} == {hooks[1].id}
    third = await claim(world, limit=2)
    assert len(third) == 2
    everything = [(owed.event_id, owed.webhook_id) for owed in first + second + third]
    assert len(set(everything)) == len(everything)


async def test_two_nodes_never_claim_the_same(world: World) -> None:
    await world.subscribe()
    for _ in range(40):
        await world.start(interrupt=True)
        world.now += 1
    world.now += LEASE_MS
    claims = [world.store.write(claim_deliveries, world.at(node=f"n{at}"), limit=7, each=7) for at in range(10)]
    found = [owed.event_id for claimed in claims for owed in await claimed]
    found += [owed.event_id for owed in await claim(world)]
    assert len(found) == len(set(found)) == 40


async def test_a_delivery_can_be_sent_again_whatever_became_of_it(world: World) -> None:
    await world.subscribe()
    await world.start()
    (owed,) = leased(world)
    await tried(world, owed)
    assert await world.store.write(deliver_again, world.at(), owed.event_id, owed.webhook_id)
    (again,) = await claim(world)
    assert (again.event_id, again.attempts) == (owed.event_id, 1)
    await tried(world, again)
    assert not await world.store.write(deliver_again, world.at(), "no-such-event", owed.webhook_id)


async def test_a_subscription_that_ended_is_owed_nothing(world: World) -> None:
    hook = await world.subscribe()
    await world.start()
    await world.store.write(delete_webhook, world.at(), world.caller, hook.id)
    world.now += LEASE_MS
    assert await claim(world) == []


@pytest.mark.parametrize("status", [200, 204, 299])
async def test_any_2xx_acknowledges(world: World, status: int) -> None:
    await world.subscribe()
    await world.start()
    await tried(world, leased(world)[0], status)
    assert await world.rows(select(table.delivery.c.state)) == [("DELIVERED",)]
