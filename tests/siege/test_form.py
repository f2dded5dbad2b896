"""Forms that are huge, or that nobody means."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import cycle
from typing import Final

from countertop.gateway.http.call import MAX_BODY
from countertop.gateway.http.form import MAX_PARAMETERS
from tests.end_to_end.process import REAL, ROBOT, ServerProcess
from tests.siege.besieger import connected, meanwhile, request, statuses
from tests.siege.conftest import Memory, Neighbour

BOUND_MIB = 64
BESIEGERS = 4
READ: Final = f"/smartterminals/{REAL}/request-read"

FORMS: Final = [
    b"x" * (4 * MAX_BODY),
    b"terminalId=" + b"9" * (MAX_BODY - 20),
    b"&".join(b"p%d=1" % number for number in range(20_000)),
    b"&" * (MAX_BODY - 1),
    b"=" * (MAX_BODY - 1),
    b"terminalId=x&text=" + b"%F0%9F%92%B3" * 20_000,
    b"terminalId=x&text=" + b"%" * 100_000,
    b"terminalId=x&text=" + b"%00" * 80_000,
    b"terminalId=x&" * (MAX_PARAMETERS - 1) + b"text=" + b"a" * 100_000,
    b"terminalId=x&buttons[]=" + b"+" * 200_000,
    b"".join(b"buttons[]=%d&" % number for number in range(MAX_PARAMETERS - 1)) + b"terminalId=x",
    b"terminalId=1e999999",
    b"terminalId=-0&terminalId=\xc2\xb2",
    bytes(range(256)) * 500,
]
"""Each of them is refused, whatever resource it is sent to."""

ROWS: Final = "SELECT (SELECT count(*) FROM request WHERE smart_terminal_id != ?), (SELECT count(*) FROM webhook)"
QUERIES: Final = ["limit=" + "9" * 8_000, "&" * 8_000, "offset=%ff", "limit=1&" * 900, "%" * 8_000]


def rows(server: ServerProcess) -> object:
    """How many requests and webhooks there are, without those of the point of sale next door."""
    with closing(sqlite3.connect(server.data / "countertop.db")) as database:
        return database.execute(ROWS, (ROBOT,)).fetchone()


async def test_huge_and_strange_forms(server: ServerProcess, neighbour: Neighbour, memory: Memory) -> None:
    seen: Counter[int] = Counter()
    before = rows(server)
    paths = (READ, f"/smartterminals/{REAL}/request-prompt", f"/smartterminals/{REAL}/request-input", "/webhooks")
    posts = [request("POST", path, form) for form in FORMS for path in paths]
    gets = [request("GET", f"/terminals?{query}") for query in QUERIES]

    async def besiege() -> None:
        async with connected(server.url, 1) as (connection,):
            for post in cycle(posts + gets):
                seen.update(await statuses(connection, [post]))

    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        async with meanwhile(*[besiege] * BESIEGERS):
            yield

    await neighbour.is_spared(siege)
    async with connected(server.url, 1) as (connection,):
        each = [await statuses(connection, [one]) for one in posts + gets]
    assert {status for statuses in each for status in statuses} | set(seen) <= {400, 413}
    assert len([status for statuses in each for status in statuses]) == len(posts + gets)
    assert memory.growth() < BOUND_MIB
    assert rows(server) == before
