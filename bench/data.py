"""What a measured gateway finds in its database: a merchant, terminals that are paired already, and what a row wants stored."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, create_engine, insert, select

from countertop.domain.clock import HOUR
from countertop.domain.ids import ordered_uuid, stocked
from countertop.domain.releases import NEWEST
from countertop.gateway.store import table

LOGIN: Final = "bench"
PASSWORD: Final = "bench-password"  # noqa: S105 - of a server that lives for a minute
KEY: Final = "2f0f2f0e-2a63-4f3a-9d2e-9a2c7b0c2a10"
COUNTERTOP: Final = (sys.executable, "-c", "from countertop.cli import main; main()")
AT_ONCE: Final = 10_000

SEED: Final = f"""
[[merchant]]
name = "Bench"

  [[merchant.login]]
  login = "{LOGIN}"
  password = "{PASSWORD}"

  [[merchant.application_key]]
  key = "{KEY}"
  release = "{NEWEST}"

  [[merchant.terminal]]
  terminalId = 1
  nickName = "Main"
  type = "CARD"
"""
WEBHOOK: Final = """
  [[merchant.webhook]]
  event = "SMARTTERMINAL_REQUEST"
  url = "http://127.0.0.1:{port}/hook"
  secret = "bench-secret"
"""


def terminal_id(number: int) -> str:
    """The id of the terminal of that number."""
    return f"88888888-4444-4444-4444-{number:012x}"


def token(number: int) -> str:
    """What the terminal of that number connects with."""
    return f"bench-token-{number:08d}-{'x' * 24}"


def prepare(folder: Path, terminals: int, *, hook: int | None = None, settings: Mapping[str, str] | None = None) -> None:
    """Makes a data directory with a shop in it.

    `hook` is the port on this machine that gets each event. `settings` are more of the environment: another database, say.
    """
    environment = {**os.environ, **(settings or {})}
    folder.mkdir(parents=True, exist_ok=True)
    seed = folder / "seed.toml"
    seed.write_text(SEED + (WEBHOOK.format(port=hook) if hook else ""), "utf-8")
    command = [*COUNTERTOP, "seed", str(seed), "--data", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    url = environment.get("COUNTERTOP_DATABASE_URL", f"sqlite:///{folder}/countertop.db")
    with opened(url) as connection:
        store(connection, table.smart_terminal, _terminals(merchant_id(connection), terminals))


@contextlib.contextmanager
def opened(url: str) -> Iterator[Connection]:
    """A transaction with a database."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def merchant_id(connection: Connection) -> str:
    """The one merchant's id."""
    return str(connection.execute(select(table.merchant.c.id)).scalar_one())


def store(connection: Connection, into: Table, rows: Iterator[dict[str, Any]]) -> None:
    """Inserts rows, thousands at a time."""
    while batch := [row for _, row in zip(range(AT_ONCE), rows, strict=False)]:
        connection.execute(insert(into), batch)


def _terminals(merchant: str, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": terminal_id(number),
            "merchant_id": merchant,
            "nick_name": f"Counter {number}",
            "serial_number": f"B{number}",
            "virtual": False,
            "token_hash": hashlib.sha256(token(number).encode()).digest(),
            "created": 0,
        }


def fill(folder: Path, count: int, terminals: int) -> None:
    """Adds requests of the last hours that have ended, spread over the terminals, each with its last event and its delivery.

    Straight into the file: a million of them would take SQLAlchemy minutes.
    """
    with contextlib.closing(sqlite3.connect(folder / "countertop.db")) as connection:
        for setting in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -262144"):
            connection.execute(f"PRAGMA {setting}")
        [(merchant,)] = connection.execute("SELECT id FROM merchant").fetchall()
        columns = connection.execute("SELECT name FROM pragma_table_info('request')").fetchall()
        assert {name for (name,) in columns} >= set(_REQUEST)
        ids, random = list(_ids(count)), stocked(os.urandom)
        _insert(connection, "request", _REQUEST, ((*_ended(*each, terminals), merchant) for each in enumerate(ids)))
        events = [(ordered_uuid(ended, random), request, ended) for request, ended in ids]
        _insert(connection, "event", _EVENT, ((*event, merchant, *_EVENT_REST) for event in events))
        _insert(connection, "delivery", _DELIVERY, ((event, merchant, 1, "DELIVERED") for event, _, _ in events))
        connection.commit()


_REQUEST: Final = (
    *("id", "smart_terminal_id", "created", "ended", "terminal_id", "kind", "order", "release", "status", "sequence"),
    *("request_deadline", "extensions", "outcome", "merchant_id"),
)
_EVENT: Final = ("id", "subject_id", "created", "merchant_id", "type", "sequence", "release", "data")
_EVENT_REST: Final = ("SMARTTERMINAL_REQUEST", 3, NEWEST, '{"kind":"read","status":"COMPLETE","outcome":"CUSTOMER_CANCELLED"}')
_DELIVERY: Final = ("event_id", "webhook_id", "attempts", "state")


def _ids(count: int) -> Iterator[tuple[str, int]]:
    """Requests' ids in their order, and when each ended."""
    now, random = time.time_ns() // 1_000_000, stocked(os.urandom)
    for number in range(count):
        then = now - 8 * HOUR + number * 7 * HOUR // count
        yield ordered_uuid(then, random), then + 5_000


def _ended(number: int, request: tuple[str, int], terminals: int) -> tuple[object, ...]:
    request_id, ended = request
    rest = (1, "read", '{"kind":"read"}', NEWEST, "COMPLETE", 3, 60_000, 0, "CUSTOMER_CANCELLED")
    return request_id, terminal_id(number % terminals), ended - 5_000, ended, *rest


def _insert(connection: sqlite3.Connection, into: str, columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    places = ", ".join("?" * len(columns))
    connection.executemany(f'INSERT INTO "{into}" ({names}) VALUES ({places})', rows)  # noqa: S608 - names from above
