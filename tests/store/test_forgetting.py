"""What is forgotten, and when; and that nothing else is."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from countertop.domain.clock import DAY, MINUTE
from countertop.domain.errors import Invalid, NotFound, Refused
from countertop.domain.hint import DeliveryHint
from countertop.domain.request import Status
from countertop.domain.webhook import Attempt
from countertop.gateway.operations.answer import KEPT, once
from countertop.gateway.operations.delivery import record_attempt
from countertop.gateway.operations.pairing import LIFETIME, start_pairing
from countertop.gateway.operations.purge import purge
from countertop.gateway.operations.webhook import delete_webhook
from countertop.gateway.store import table
from countertop.gateway.store.unit import Unit
from tests.store.world import World


async def forget(world: World, limit: int = 100) -> bool:
    return await world.store.write(purge, world.at(), limit)


async def counts(world: World) -> dict[str, int]:
    names = ("request", "event", "delivery", "attempt", "answer", "pairing")
    found = {}
    for name in names:
        found[name] = (await world.rows(select(func.count()).select_from(table.metadata.tables[name])))[0][0]
    return found


async def ended(world: World) -> str:
    request_id = await world.start()
    await world.show(request_id)
    await world.finish(request_id)
    return request_id


async def acknowledge_all(world: World) -> None:
    owed = [delivery for hint in world.heard(DeliveryHint) for delivery in hint.leased]
    while owed:
        following = await world.store.write(record_attempt, world.at(), owed.pop(), Attempt(world.now, 1, 200))
        if following is not None:
            owed.append(following)


async def test_an_ended_request_is_forgotten_after_a_day_with_all_that_hangs_on_it(world: World) -> None:
    await world.subscribe()
    request_id = await ended(world)
    await acknowledge_all(world)
    world.now += DAY - 1
    assert not await forget(world)
    assert (await counts(world))["event"] == 3
    assert (await world.view(request_id)).result is not None
    world.now += 2
    assert not await forget(world)
    assert set((await counts(world)).values()) == {0}
    with pytest.raises(NotFound):
        await world.view(request_id)


async def test_what_runs_is_not_forgotten(world: World) -> None:
    request_id = await world.start()
    world.now += 10 * DAY
    await forget(world)
    assert (await world.view(request_id)).status is Status.CONNECTING


async def test_an_event_that_is_still_owed_stays_until_it_is_not(world: World) -> None:
    await world.subscribe()
    await ended(world)
    world.now += DAY + 1
    await forget(world)
    assert await counts(world) == {"request": 0, "event": 3, "delivery": 3, "attempt": 0, "answer": 0, "pairing": 0}
    await acknowledge_all(world)
    await forget(world)
    assert set((await counts(world)).values()) == {0}


async def test_what_was_owed_to_a_subscription_that_ended_goes_first(world: World) -> None:
    hook = await world.subscribe()
    await ended(world)
    await world.store.write(delete_webhook, world.at(), world.caller, hook.id)
    await forget(world)
    assert (await counts(world))["delivery"] == 0
    assert (await counts(world))["event"] == 3


async def test_forgetting_goes_in_limited_steps(world: World) -> None:
    await world.subscribe()
    for _ in range(5):
        await ended(world)
        world.now += 1
    await acknowledge_all(world)
    world.now += DAY
    assert await forget(world, limit=2)
    assert (await counts(world))["request"] == 3
    steps = 1
    while await forget(world, limit=2):
        steps += 1
    assert steps == 7
    assert set((await counts(world)).values()) == {0}


async def test_pairings_and_answers_run_out(world: World) -> None:
    await world.store.write(start_pairing, world.at())
    await world.store.write(once, world.at(), world.caller, b"k", b"f", lambda _: (200, b"{}"))
    world.now += LIFETIME - 1
    await forget(world)
    assert (await counts(world))["pairing"] == 1
    world.now += MINUTE
    await forget(world)
    assert ((await counts(world))["pairing"], (await counts(world))["answer"]) == (0, 1)
    world.now += KEPT
    await forget(world)
    assert (await counts(world))["answer"] == 0


class Effects:
    """Something that should happen once."""

    def __init__(self) -> None:
        self.count = 0

    def happen(self, _: Unit) -> tuple[int, bytes]:
        self.count += 1
        return 200, f"number {self.count}".encode()


async def test_the_same_order_under_one_key_happens_once(world: World) -> None:
    effects = Effects()
    key, form = b"k" * 32, b"f" * 32
    first = await world.store.write(once, world.at(), world.caller, key, form, effects.happen)
    again = await world.store.write(once, world.at(later=KEPT - 1), world.caller, key, form, effects.happen)
    assert first == again == (200, b"number 1")
    with pytest.raises(Invalid) as refusal:
        await world.store.write(once, world.at(), world.caller, key, b"another form", effects.happen)
    assert [fault.parameter for fault in refusal.value.faults] == ["Idempotency-Key"]
    later = await world.store.write(once, world.at(later=KEPT), world.caller, key, b"another form", effects.happen)
    assert later == (200, b"number 2")


async def test_orders_under_one_key_at_once_happen_once(world: World) -> None:
    async def start() -> tuple[int, bytes]:
        return await world.store.write(once, world.at(), world.caller, b"k", b"f", lambda unit: (200, put(unit)))

    def put(unit: Unit) -> bytes:
        from countertop.gateway.operations.request import start_request

        return start_request(unit, world.at(), world.caller, world.order()).encode()

    first, *others = [await answer for answer in [start() for _ in range(8)]]
    assert all(answer == first for answer in others)
    assert (await counts(world))["request"] == 1


async def test_a_refused_order_is_not_remembered(world: World) -> None:
    def refuse(_: Unit) -> tuple[int, bytes]:
        raise Refused("not now")

    with pytest.raises(Refused):
        await world.store.write(once, world.at(), world.caller, b"k", b"f", refuse)
    assert await world.store.write(once, world.at(), world.caller, b"k", b"f", Effects().happen) == (200, b"number 1")
