from __future__ import annotations

from collections.abc import Iterator

import pytest

from countertop.testing.server import RunningServer
from tests.client.caller import Caller, calling


@pytest.fixture(params=["blocking", "asynchronous"])
def manner(request: pytest.FixtureRequest) -> str:
    """Which of the two clients."""
    return str(request.param)


@pytest.fixture
def caller(manner: str, countertop_server: RunningServer) -> Iterator[Caller]:
    """A client of the test server."""
    server = countertop_server
    credentials = (server.url, server.login, server.password, server.application_key)
    with calling(manner, server.loop, *credentials, poll_interval_s=0) as caller:
        yield caller
