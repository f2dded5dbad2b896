"""A node is killed while it takes payments: nobody is charged twice, nobody stays charged for what was declined."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import column, func, literal_column, select, text

from countertop.domain.transaction import Status
from countertop.gateway.operations.work import LEASE
from countertop.gateway.store import table
from countertop.testing.host import State
from tests.payment.till import Till, opened_till, processor_key
from tests.store.world import KEYRING

ROOT = Path(__file__).parents[2]
_SESSIONS = select(func.count()).select_from(text("pg_stat_activity"))


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
        dying = await _role(till) if url.startswith("postgresql") else ""
        told = await run_and_kill(url.replace("//postgres@", f"//{dying}@"), till.host.port, approved, pause_s)
        assert len(told) >= approved
        if dying:
            await _until_gone(till, dying)
        till.world.now += LEASE
        await till.cashier.drain()
        await _agree(till, told)


async def _role(till: Till) -> str:
    """A database role of its own for the node that will die, by which its sessions are known."""
    name = f"dying_{uuid4().hex}"
    create = f"CREATE ROLE {name} SUPERUSER LOGIN"
    await till.world.store.write(lambda unit: unit._cursor.execute(create, ()) and None)  # noqa: SLF001 - no statement of the store
    return name


async def _until_gone(till: Till, role: str) -> None:
    """A database server goes on with what a node had sent when it died; its session ends after that."""
    async with asyncio.timeout(20):
        while (await till.world.rows(_SESSIONS.where(column("usename") == literal_column(f"'{role}'"))))[0][0]:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.01)


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
