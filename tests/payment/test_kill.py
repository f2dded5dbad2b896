"""A node is killed while it takes payments: nobody is charged twice, nobody stays charged for what was declined."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from countertop.domain.transaction import Status
from countertop.gateway.operations.work import LEASE
from countertop.gateway.store import table
from countertop.testing.host import State
from tests.payment.till import Till, opened_till, processor_key
from tests.store.world import KEYRING

ROOT = Path(__file__).parents[2]


async def run_and_kill(url: str, port: int, approved: int, pause_s: float) -> set[int]:
    """Lets a node take payments until so many were approved, and a moment longer. Returns what its customers were told."""
    pem = processor_key().as_pem(private=False).decode()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.payment.kill_child",
        url,
        KEYRING.dump(),
        str(port),
        pem,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert child.stdout is not None
    told: set[int] = set()
    while len(told) < approved:
        line = await child.stdout.readline()
        assert line, "the node ended by itself"
        told |= _approved(line)
    await asyncio.sleep(pause_s)
    child.kill()
    told |= _approved(await child.stdout.read())
    await child.wait()
    return told


def _approved(output: bytes) -> set[int]:
    """The transactions in whole lines of a node's output; it logs there as well."""
    return {int(number) for number in re.findall(rb"^approved ([0-9]+)\n", output, re.MULTILINE)}


@pytest.mark.parametrize(("approved", "pause_s"), [(1, 0.0), (5, 0.013), (20, 0.007), (60, 0.021)])
async def test_a_killed_node_leaves_no_charge_that_is_not_on_record(url: str, approved: int, pause_s: float) -> None:
    async with opened_till(url) as till:
        told = await run_and_kill(url, till.host.port, approved, pause_s)
        assert len(told) >= approved
        await _take_over(till)
        await _agree(till, told)


async def _take_over(till: Till) -> None:
    """Another node goes on until nothing is undecided: what the dead one sent last may be carried out after its death."""
    undecided = select(table.transaction.c.id).where(table.transaction.c.code.is_(None))
    async with asyncio.timeout(20):
        while True:
            till.world.now += LEASE
            await till.cashier.drain()
            if not await till.world.rows(undecided):
                return


async def _agree(till: Till, told: set[int]) -> None:
    transaction = table.transaction.c
    rows = await till.world.rows(select(transaction.id, transaction.status, transaction.code, transaction.sealed_card))
    assert all(code is not None and sealed is None for _, _, code, sealed in rows)
    charged = {number for number, status, *_ in rows if status == Status.CAPTURE}
    held = {number for number, booking in till.host.book.items() if booking.state is State.HELD}
    assert told <= charged == held
    # Every question reached the host once at most: the book has an entry for each, and no entry has been asked for again.
    assert till.host.heard["0100"] <= len(till.host.book)
    doubled = select(transaction.request_id).group_by(transaction.request_id).having(func.count() > 1)
    assert await till.world.rows(doubled) == []
