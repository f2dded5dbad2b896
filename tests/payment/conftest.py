"""One suite, two databases, as in `tests/store`: whatever uses `till` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.payment.till import Till, opened_till
from tests.store.conftest import postgres_database, postgres_url, sqlite_url, url

__all__ = ["postgres_database", "postgres_url", "sqlite_url", "till", "url"]


@pytest.fixture
async def till(url: str) -> AsyncIterator[Till]:
    async with opened_till(url) as found:
        yield found
