"""What a measured gateway finds in its database: a merchant, terminals that are paired already, and what a row wants stored."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, insert, select

from countertop.domain.ids import ordered_uuid
from countertop.domain.releases import NEWEST
from countertop.gateway.store import table

LOGIN: Final = "bench"
PASSWORD: Final = "bench-password"  # noqa: S105 - of a server that lives for a minute
KEY: Final = "2f0f2f0e-2a63-4f3a-9d2e-9a2c7b0c2a10"
COUNTERTOP: Final = str(Path(sys.executable).with_name("countertop"))
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


def prepare(folder: Path, terminals: int, *, hook: int | None = None) -> Engine:
    """Makes a data directory. `hook`: the port on this machine that gets each event. Returns the way to store more."""
    folder.mkdir(parents=True, exist_ok=True)
    seed = folder / "seed.toml"
    seed.write_text(SEED + (WEBHOOK.format(port=hook) if hook else ""), "utf-8")
    subprocess.run([COUNTERTOP, "seed", str(seed), "--data", str(folder)], check=True, stdout=subprocess.DEVNULL)
    engine = create_engine(f"sqlite:///{folder}/countertop.db")
    with engine.begin() as connection:
        store(connection, table.smart_terminal, _terminals(merchant_id(connection), terminals))
    return engine


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


def ended_requests(merchant: str, count: int) -> Iterator[dict[str, Any]]:
    """Requests that ended within the last hours, spread over terminals."""
    now = time.time_ns() // 1_000_000
    for number in range(count):
        then = now - 3_600_000 * 8 + number * 3_600_000 * 7 // count
        yield {
            "id": ordered_uuid(then, os.urandom),
            "merchant_id": merchant,
            "smart_terminal_id": terminal_id(number % 1000),
            "terminal_id": 1,
            "kind": "read",
            "order": '{"kind":"read"}',
            "release": NEWEST,
            "status": "COMPLETE",
            "sequence": 3,
            "deadline": None,
            "request_deadline": 60_000,
            "extensions": 0,
            "outcome": "CUSTOMER_CANCELLED",
            "created": then,
            "ended": then + 5_000,
        }


def ended_events(merchant: str, requests: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The last event of each request."""
    for request in requests:
        yield {
            "id": ordered_uuid(request["ended"], os.urandom),
            "merchant_id": merchant,
            "type": "SMARTTERMINAL_REQUEST",
            "subject_id": request["id"],
            "sequence": 3,
            "release": NEWEST,
            "data": "{}",
            "created": request["ended"],
        }
