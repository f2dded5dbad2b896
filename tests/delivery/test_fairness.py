"""Endpoints are independent: slow and dead ones delay nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from countertop.gateway.delivery.lane import Bounds
from countertop.testing.catcher import CloseWithout, Hold, Reply, catch
from tests.delivery.conftest import Office, settled


@pytest.mark.parametrize("dead", [Hold(), Reply(500), CloseWithout()])
async def test_a_dead_endpoint_delays_no_other(office: Office, dead: Any) -> None:
    await office.courier(bounds=Bounds(sending=8, sending_each=4, sending_failing=2, waiting_each=10))
    async with catch() as bad, catch() as good:
        await office.subscribe(bad.url)
        await office.subscribe(good.url)
        bad.reply = dead
        for _ in range(30):
            await office.tell()
        caught = await good.wait_for(30)
        assert len({delivery.id for delivery in caught}) == 30
        bad.release()


async def test_many_slow_endpoints_leave_a_place_for_one_that_answers(office: Office) -> None:
    await office.courier(bounds=Bounds(sending=8, sending_each=8))
    async with catch() as slow, catch() as good:
        slow.reply = Hold()
        for _ in range(5):
            await office.subscribe(slow.url)
        for _ in range(10):
            await office.tell()
        await office.subscribe(good.url)
        await office.tell()
        await good.wait_for(1)
        slow.release()


async def test_one_after_the_other_gets_a_place_when_all_are_taken(office: Office) -> None:
    courier = await office.courier(bounds=Bounds(sending=2, sending_each=2))
    async with catch() as catcher:
        catcher.reply = Hold()
        for _ in range(5):
            await office.subscribe(catcher.url)
        for _ in range(4):
            await office.tell()
        await catcher.wait_for(2)
        catcher.release()
        await catcher.wait_for(20)
        await settled(courier)
