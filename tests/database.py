"""Empty databases, made once for each process that tests: migrations take longer than most tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from countertop.gateway.store.store import database_at


def make_database(place: Path) -> Path:
    """Makes a SQLite file with all tables and no rows. Returns its path."""
    place.write_bytes(_empty())
    return place


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "empty.db"
        database_at(f"sqlite:///{place}").migrate()
        return place.read_bytes()
