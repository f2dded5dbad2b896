"""The gateway that these tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import FOREIGN_KEY, FOREIGN_LOGIN, PASSWORD, Client, basic


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as running:
        yield running


@pytest.fixture
def client(gateway: Gateway) -> Client:
    return gateway.client


@pytest.fixture
def other(gateway: Gateway) -> Client:
    """Another merchant."""
    return Client(gateway.client.url, {"Authorization": basic(FOREIGN_LOGIN, PASSWORD), "X-PJ-Application-Key": FOREIGN_KEY})
