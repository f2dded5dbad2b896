"""Migrations make exactly the tables that the code expects, on both databases, whoever starts first."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine

from countertop.gateway.store.store import database_at
from countertop.gateway.store.table import metadata
from countertop.testing.postgres import PostgresServer
from tests.database import make_database


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    return found


def structure(path: Path) -> set[tuple[str, str, bool]]:
    """A file's tables and indexes by kind and name, and which keep their rows in the primary key's tree."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    connection.close()
    return {(kind, name, "WITHOUT ROWID" in text) for kind, name, text in rows if "alembic_version" not in name}


def test_sqlite_gets_the_tables_of_the_code(tmp_path: Path) -> None:
    migrated, direct = tmp_path / "migrated.db", tmp_path / "direct.db"
    database_at(f"sqlite:///{migrated}").migrate()
    engine = create_engine(f"sqlite:///{direct}")
    metadata.create_all(engine)
    engine.dispose()
    assert differences(create_engine(f"sqlite:///{migrated}")) == []
    assert structure(migrated) == structure(direct)
    assert ("table", "event", True) in structure(migrated)


@pytest.mark.postgres
def test_postgresql_gets_the_tables_of_the_code(postgres: PostgresServer) -> None:
    url = postgres.url(postgres.create_database())
    database_at(url).migrate()
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    assert differences(engine) == []


def test_partial_indexes_are_partial_on_both(tmp_path: Path) -> None:
    connection = sqlite3.connect(make_database(tmp_path / "countertop.db"))
    text = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'uq_request_running'").fetchone()[0]
    connection.close()
    assert text.endswith("WHERE deadline IS NOT NULL")


@pytest.mark.postgres
def test_partial_indexes_are_partial_on_postgresql(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_request_running'").fetchone()
    assert row is not None
    assert row[0].endswith("WHERE (deadline IS NOT NULL)")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_several_nodes_may_start_at_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/new.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.url(server.create_database())
    program = f"from countertop.gateway.store.store import database_at; database_at({url!r}).migrate()"
    nodes = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(2)]
    failures = [node.communicate()[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], failures


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    database = database_at(f"sqlite:///{tmp_path}/x.db")
    database.migrate()
    before = structure(tmp_path / "x.db")
    database.migrate()
    assert structure(tmp_path / "x.db") == before
