"""Ten thousand logins and keys that are wrong."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.end_to_end.process import LOGIN, PASSWORD, ServerProcess
from tests.siege.besieger import basic, connected, meanwhile, request, statuses
from tests.siege.conftest import Memory, Neighbour

WRONG = 10_000
BATCH = 20
BESIEGERS = 40
BOUND_MIB = 48


def guess(number: int) -> bytes:
    """A login that exists with a wrong password, one that does not exist, or a key that does not: each a different one."""
    match number % 4:
        case 0:
            return request("GET", "/terminals", authorization=basic(LOGIN, f"guess {number}"))
        case 1:
            return request("GET", "/terminals", authorization=basic(f"nobody{number}", PASSWORD))
        case _:
            return request("GET", "/terminals", key=f"00000000-0000-0000-0000-{number:012}")


async def test_wrong_logins_and_keys(server: ServerProcess, neighbour: Neighbour, memory: Memory) -> None:
    seen: Counter[int] = Counter()
    batches = deque(range(0, WRONG, BATCH))

    async def besiege() -> None:
        async with connected(server.url, 1) as (connection,):
            while batches:
                batch = batches.popleft()
                try:
                    seen.update(await statuses(connection, [guess(batch + number) for number in range(BATCH)]))
                except asyncio.CancelledError:  # the measurement ended; they are guessed again
                    batches.append(batch)
                    raise

    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        async with meanwhile(*[besiege] * BESIEGERS):
            yield

    await neighbour.is_spared(siege)
    await asyncio.gather(*(besiege() for _ in range(BESIEGERS)))  # what is left of them

    assert set(seen) == {401, 429}
    assert seen.total() == WRONG
    assert memory.growth() < BOUND_MIB
    with server.caller() as caller:
        assert caller.get("/terminals").status == 200
