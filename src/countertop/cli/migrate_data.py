"""`countertop migrate-data`: moves everything from a SQLite file to PostgreSQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg

from countertop.cli.process import complaints
from countertop.gateway.clock import SystemClock
from countertop.gateway.settings import SettingsError
from countertop.gateway.store.transfer import NotMovable, transfer


def run(source: str, target: str) -> int:
    """Moves the data and says how many rows that were. Returns the exit status."""
    with complaints() as complaint:
        if not source.startswith("sqlite:////"):
            raise SettingsError("FROM_URL: write it as sqlite:////path/to/countertop.db")
        if not target.startswith(("postgresql://", "postgres://")):
            raise SettingsError("TO_URL must begin with postgresql://")
        try:
            count = transfer(Path(source.removeprefix("sqlite:///")), target, SystemClock().now(), _tell)
        except NotMovable as error:
            raise SettingsError(str(error)) from None
        except sqlite3.Error as error:
            raise SettingsError(f"FROM_URL: {getattr(error, 'sqlite_errorname', type(error).__name__)}") from None
        except psycopg.Error as error:
            raise SettingsError(f"TO_URL: {type(error).__name__} {error.sqlstate or ''}") from None
        print(f"{count} rows were moved. Keep the key file: what is sealed stays sealed with the same keys.")
    return complaint.status


def _tell(name: str, count: int) -> None:
    if count:
        print(f"{name}: {count}", flush=True)
