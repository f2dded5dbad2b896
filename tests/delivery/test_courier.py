"""A courier over a real store: at least once, in order, endpoint by endpoint."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import structlog

from countertop.domain.clock import DAY, HOUR, MINUTE, SECOND
from countertop.domain.hint import DeliveryHint
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.delivery.courier import Courier
from countertop.gateway.delivery.lane import Bounds
from countertop.gateway.delivery.sender import Patience
from countertop.gateway.operations.delivery import LEASE_MS
from countertop.gateway.store.store import open_store
from countertop.testing.catcher import Caught, CloseWithout, Hold, Reply, catch
from tests.delivery.conftest import SECRET, STATUSES, Office, settled, until

PAST_LEASE = LEASE_MS + SECOND


def statuses(caught: list[Caught], request_id: str) -> list[str]:
    return [one.data["status"] for one in caught if one.data["requestId"] == request_id]


async def test_a_life_reaches_every_endpoint_signed_and_in_order(office: Office) -> None:
    courier = await office.courier()
    async with catch(SECRET) as one, catch("another") as two:
        first, second = await office.subscribe(one.url), await office.subscribe(two.url, "another")
        request_id = await office.live()
        for catcher in (one, two):
            caught = await catcher.wait_for(3)
            assert statuses(caught, request_id) == list(STATUSES)
            assert all(delivery.verdict.good for delivery in caught)
            assert caught[-1].data["trackData"] == ";7090112233654321?"
            assert len({delivery.id for delivery in caught}) == 3
        await settled(courier)
        assert await office.states(first) == await office.states(second) == ["DELIVERED"] * 3


async def test_nothing_is_owed_where_nobody_listens(office: Office) -> None:
    courier = await office.courier()
    await office.live()
    await courier.drain()
    assert courier.in_hand == 0


async def test_an_attempt_is_recorded_as_it_went(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.reply = Reply(418, b"short and stout" * 100)
        before = office.clock.now()
        await office.tell()
        await catcher.wait_for(1)
        await settled(courier)
        (attempt,) = await office.attempts(webhook)
        assert (attempt.number, attempt.status, attempt.failure) == (1, 418, None)
        assert attempt.answer == (b"short and stout" * 100)[:1024]
        assert before <= attempt.started <= office.clock.now()
        assert 0 <= attempt.duration < 5_000
        assert await office.states(webhook) == ["PENDING"]


async def test_an_attempt_without_an_answer_says_why(office: Office) -> None:
    courier = await office.courier(patience=Patience(2, 0.5))
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(CloseWithout(), Hold())
        await office.tell()
        await catcher.wait_for(1)
        await office.tell()
        await catcher.wait_for(2)
        await settled(courier)
        failures = [(attempt.status, attempt.failure) for attempt in await office.attempts(webhook)]
        assert failures == [(None, "the connection was closed without an answer"), (None, "no answer within 0.5 s")]


async def test_order_holds_when_the_first_attempt_fails(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        await office.subscribe(catcher.url)
        catcher.then(Reply(500))
        request_id = await office.live()
        other = await office.live()
        await courier.drain()
        caught = await catcher.wait_for(4)
        assert statuses(caught, other) == list(STATUSES)
        assert statuses(caught, request_id) == ["CONNECTING"]
        office.clock.advance(30 * SECOND)
        await courier.drain()
        assert statuses(catcher.caught, request_id) == ["CONNECTING", *STATUSES]


async def test_order_holds_while_an_answer_is_awaited(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        await office.subscribe(catcher.url)
        catcher.then(Hold())
        request_id = await office.live()
        other = await office.live()
        await catcher.wait_for(lambda caught: len(statuses(caught, other)) == 3)
        assert statuses(catcher.caught, request_id) == ["CONNECTING"]
        catcher.release()
        await courier.drain()
        assert statuses(catcher.caught, request_id) == list(STATUSES)


async def test_retries_come_when_they_are_due_and_end_after_three_days(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.reply = Reply(503)
        await office.tell()
        await courier.drain()
        begun = office.clock.now()
        for step, made in ((30 * SECOND, 4), (5 * MINUTE, 5), (HOUR, 3)):
            for _ in range(made):
                before = len(catcher.caught)
                office.clock.advance(step - 3 * SECOND)
                await courier.drain()
                assert len(catcher.caught) == before
                office.clock.advance(4 * SECOND)
                await courier.drain()
                assert len(catcher.caught) == before + 1
        while office.clock.now() < begun + 3 * DAY + HOUR:
            office.clock.advance(HOUR)
            await courier.drain()
        assert await office.states(webhook) == ["GIVEN_UP"]
        attempts = len(catcher.caught)
        office.clock.advance(DAY)
        await courier.drain()
        assert len(catcher.caught) == attempts
        assert len({delivery.id for delivery in catcher.caught}) == 1


async def test_what_is_given_up_holds_up_the_next_no_longer(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        await office.subscribe(catcher.url)
        catcher.reply = Reply(500)
        request_id = await office.live()
        await courier.drain()
        office.clock.advance(3 * DAY - 10 * SECOND)
        await courier.drain()
        catcher.reply = Reply()
        office.clock.advance(HOUR)
        await courier.drain()
        assert statuses(catcher.caught, request_id) == ["CONNECTING", "CONNECTING", "IN_PROGRESS", "COMPLETE"]


async def test_due_deliveries_are_found_without_a_hint_or_a_drain(office: Office) -> None:
    async with catch() as catcher:
        await office.subscribe(catcher.url)
        request_id = await office.live()
        await office.courier()
        office.clock.advance(PAST_LEASE)
        caught = await catcher.wait_for(3)
        assert statuses(caught, request_id) == list(STATUSES)


async def test_a_new_courier_carries_on_where_the_last_was_killed(office: Office) -> None:
    killed = await office.courier()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(Hold(), Hold())
        lives = [await office.live(), await office.live()]
        await catcher.wait_for(2)
        await killed.stop(0)  # nothing of what it had in hand is recorded
        courier = await office.courier()
        office.clock.advance(PAST_LEASE)
        await courier.drain()
        for request_id in lives:
            assert statuses(catcher.caught, request_id) == ["CONNECTING", *STATUSES]
        assert await office.states(webhook) == ["DELIVERED"] * 6


async def test_stopping_finishes_what_is_in_hand(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(Hold())
        await office.live()
        await catcher.wait_for(1)
        stopping = asyncio.create_task(courier.stop(5))
        catcher.release()
        await stopping
        assert await office.states(webhook) == ["DELIVERED"] * 3


async def test_what_a_stopped_courier_had_in_hand_is_anybody_s_at_once(office: Office) -> None:
    stopped = await office.courier()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(Hold())
        request_id = await office.live()
        await catcher.wait_for(1)
        await stopped.stop(0)
        courier = await office.courier()
        await courier.drain()
        assert statuses(catcher.caught, request_id) == ["CONNECTING", *STATUSES]
        assert await office.states(webhook) == ["DELIVERED"] * 3


async def test_two_couriers_on_one_database_lose_nothing_and_keep_order(office: Office) -> None:
    # The second hears no hints and only sweeps, as a node without a bus does.
    silent = LocalBus()
    bounds = Bounds(waiting_each=5, claim_each=3)
    one = await office.courier(bounds=bounds)
    two = Courier(office.store, office.clock, silent, office.sender(), node_id="two", bounds=bounds)
    await two.start()
    try:
        async with catch() as catcher:
            webhook = await office.subscribe(catcher.url)
            catcher.then(*[Reply(500)] * 10)
            lives = await asyncio.gather(*(office.live() for _ in range(40)))
            for _ in range(40):
                await asyncio.gather(one.drain(), two.drain())
                if set(await office.states(webhook)) == {"DELIVERED"}:
                    break
                office.clock.advance(PAST_LEASE)
            assert await office.states(webhook) == ["DELIVERED"] * 120
            first_seen = defaultdict[str, list[str]](list)
            for delivery in catcher.caught:
                seen = first_seen[delivery.data["requestId"]]
                if delivery.data["status"] not in seen:
                    seen.append(delivery.data["status"])
            assert {life: first_seen[life] for life in lives} == {life: list(STATUSES) for life in lives}
    finally:
        await two.stop()


async def test_what_finds_no_room_in_memory_is_found_again(office: Office) -> None:
    courier = await office.courier(bounds=Bounds(sending_each=1, waiting_each=3, claim_each=3))
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(Hold())
        for _ in range(50):
            await office.tell()
        assert courier.in_hand == 4
        catcher.release()
        await courier.drain()
        for _ in range(30):
            office.clock.advance(PAST_LEASE)
            await courier.drain()
        assert await office.states(webhook) == ["DELIVERED"] * 50
        assert len(catcher.caught) == 50


async def test_what_waited_too_long_in_memory_is_left_to_its_lease(office: Office) -> None:
    courier = await office.courier(bounds=Bounds(sending_each=1))
    async with catch() as catcher:
        await office.subscribe(catcher.url)
        catcher.then(Hold())
        for _ in range(3):
            await office.tell()
        await catcher.wait_for(1)
        office.clock.advance(15 * SECOND)  # longer than it may wait, not so long that it may be claimed
        catcher.release()
        await settled(courier)
        assert len(catcher.caught) == 1
        office.clock.advance(15 * SECOND)
        await courier.drain()
        assert len(catcher.caught) == 3


async def test_what_is_in_hand_is_not_sent_twice_when_the_clock_is_advanced(office: Office) -> None:
    courier = await office.courier()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(Hold())
        await office.tell()
        await catcher.wait_for(1)
        office.clock.advance(HOUR)
        draining = asyncio.create_task(courier.drain())
        await office.tell()
        await catcher.wait_for(2)
        catcher.release()
        await draining
        assert len(catcher.caught) == 2
        assert await office.states(webhook) == ["DELIVERED"] * 2


async def test_an_attempt_is_recorded_once_the_store_has_room_again(office: Office) -> None:
    path = office.folder / "test.db"
    narrow = await open_store(f"sqlite:///{path}", office.sealer, office.publish, max_waiting=1)
    recorded = list[object]()
    courier = Courier(
        narrow, office.clock, office.bus, office.sender(), node_id="one", observe=lambda *attempt: recorded.append(attempt)
    )
    await courier.start()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(*[Hold()] * 8)
        lives = [await office.live() for _ in range(8)]
        await catcher.wait_for(8)
        catcher.release()
        await until(lambda: len(recorded) == 24)
        for request_id in lives:
            assert statuses(catcher.caught, request_id) == list(STATUSES)
        assert await office.states(webhook) == ["DELIVERED"] * 24
    await courier.stop()
    await narrow.close()


async def test_an_attempt_that_cannot_be_recorded_is_made_again(office: Office) -> None:
    path = office.folder / "test.db"
    failing = await open_store(f"sqlite:///{path}", office.sealer, office.publish)
    unlucky = Courier(failing, office.clock, office.bus, office.sender(), node_id="one", bounds=Bounds(record_s=0.1))
    await unlucky.start()
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        catcher.then(Hold())
        await office.live()
        await catcher.wait_for(1)
        await failing.close()
        with structlog.testing.capture_logs() as logs:
            catcher.release()
            await settled(unlucky)
        assert "an attempt could not be recorded" in [entry["event"] for entry in logs]
        await unlucky.stop()
        courier = await office.courier()
        office.clock.advance(PAST_LEASE)
        await courier.drain()
        assert [delivery.data["status"] for delivery in catcher.caught] == ["CONNECTING", *STATUSES]
        assert await office.states(webhook) == ["DELIVERED"] * 3


async def test_an_observer_sees_each_attempt_and_its_failure_harms_nothing(office: Office) -> None:
    seen = list[int | None]()

    def observe(_delivery: object, attempt: Any) -> None:
        seen.append(attempt.status)
        raise RuntimeError("no ink")

    courier = await office.courier(observe=observe)
    async with catch() as catcher:
        webhook = await office.subscribe(catcher.url)
        with structlog.testing.capture_logs() as logs:
            await office.live()
            await catcher.wait_for(3)
            await settled(courier)
        assert seen == [200] * 3
        assert await office.states(webhook) == ["DELIVERED"] * 3
        assert [entry["event"] for entry in logs] == ["a delivery failed"] * 3
        assert "7090112233654321" not in str(logs)
        assert SECRET not in str(logs)


async def test_a_hint_of_nothing_in_particular_wakes_the_sweep(office: Office, tmp_path: Path) -> None:
    del tmp_path
    await office.courier()
    async with catch() as catcher:
        await office.subscribe(catcher.url)
        office.bus, heard = LocalBus(), office.bus  # the hint with the lease goes nowhere
        await office.tell()
        office.clock.advance(PAST_LEASE)
        heard.publish([DeliveryHint()])
        await catcher.wait_for(1)
