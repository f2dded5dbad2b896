"""What was acknowledged is there after a kill -9 at any moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from countertop.gateway.store import table
from tests.store.world import KEYRING, opened

ROOT = Path(__file__).parents[2]

CHILD = """
import asyncio, sys
from tests.store.world import opened, populate
from countertop.gateway.store.sealing import Keyring

async def main(url, keyring):
    async with opened(url, keyring=Keyring.parse(keyring)) as world:
        world.caller, terminals = await populate(world.store, "Busy Shop", 20)
        await world.listen()

        async def keep_going(terminal):
            while True:
                world.now += 1
                print(await world.start(terminal, interrupt=True), flush=True)

        await asyncio.gather(*map(keep_going, terminals))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 333])
async def test_nothing_acknowledged_is_lost(url: str, acknowledged: int) -> None:
    child = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop
        [sys.executable, "-c", CHILD, url, KEYRING.dump()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    told = [child.stdout.readline().strip() for _ in range(acknowledged)]
    child.kill()
    told += [line.strip() for line in child.stdout if line.endswith("\n")]
    child.stdout.close()
    child.wait()
    assert all(told)

    async with opened(url) as world:
        request, event = table.request.c, table.event.c
        kept = {row[0] for row in await world.rows(select(request.id))}
        assert set(told) <= kept
        # A request and its events are there together or not at all.
        rows = await world.rows(select(event.subject_id, func.count(), func.max(event.sequence)).group_by(event.subject_id))
        sequences = {row[0]: row[1] for row in rows}
        assert all(count == highest for _, count, highest in rows)
        assert sequences == dict(await world.rows(select(request.id, request.sequence)))
