"""`countertop backup`: a copy of the SQLite file, made while a server writes to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from countertop.cli.process import complaints
from countertop.gateway.settings import Settings, SettingsError, load_settings


def run(flags: Mapping[str, object], file: Path) -> int:
    """Makes the copy, whole as of one moment. Returns the exit status."""
    with complaints() as complaint:
        _copy(load_settings(flags), file)
        print(f"{file}: {file.stat().st_size} bytes. Keep the key file too, elsewhere: without it nothing sealed can be read.")
    return complaint.status


def _copy(settings: Settings, file: Path) -> None:
    if settings.database_url is not None:
        raise SettingsError("DATABASE_URL: a PostgreSQL is backed up with its own tools, pg_dump or continuous archiving")
    source = Path(settings.database.removeprefix("sqlite:///"))
    if not source.is_file():
        raise SettingsError(f"DATA: there is no {source}")
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(file)) as writing:
            reading.backup(writing)
    except FileExistsError:
        raise SettingsError(f"{file} exists already") from None
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"{file} cannot be written: {error}") from None
