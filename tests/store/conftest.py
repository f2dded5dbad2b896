"""One suite, two databases: whatever uses `url` or `world` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from countertop.gateway.store.store import database_at
from countertop.gateway.store.table import metadata
from countertop.testing.postgres import PostgresServer
from tests.database import make_database
from tests.store.world import World, opened

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgresServer) -> str:
    name = postgres.create_database()
    database_at(postgres.url(name)).migrate()
    return name


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{make_database(tmp_path / 'countertop.db')}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_database: str) -> str:
    # Emptied, not made anew: that takes a tenth of the time.
    url = postgres.url(postgres_database)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # so that the order of tables does not matter
        for name in metadata.tables:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    return url


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    """A database with all tables and no rows."""
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@pytest.fixture
async def world(url: str) -> AsyncIterator[World]:
    async with opened(url) as found:
        yield found
