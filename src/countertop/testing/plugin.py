"""Fixtures for programs that are tested against Countertop. pytest finds them as soon as countertop is installed.

    def test_a_gift_card_is_read(countertop_server, countertop_terminal, webhook_catcher):
        my_point_of_sale.read_card(url=countertop_server.url, …)
        countertop_terminal.until("SWIPE_CARD")
        countertop_terminal.swipe(";7090112233654321?")
        webhook_catcher.wait_for(lambda caught: caught[-1].data["status"] == "COMPLETE")

They are plain and synchronous; tests that are asynchronous can use them all the same, because the server has a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from countertop.testing.server import RunningServer, WebhookCatcher
    from countertop.testing.terminal import VirtualTerminal


@pytest.fixture(scope="session")
def countertop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A test server with one merchant, one account and one virtual terminal; one for the whole session."""
    # Loaded only if wanted: the plugin is found in every project whose environment has countertop.
    from countertop.testing.server import run_server  # noqa: PLC0415

    with run_server(tmp_path_factory.mktemp("countertop")) as server:
        yield server


@pytest.fixture
def countertop_terminal(countertop_server: RunningServer) -> VirtualTerminal:
    """The server's virtual terminal, plugged in and idle."""
    terminal = countertop_server.terminal
    terminal.plug()
    countertop_server.caller.post(f"/smartterminals/{terminal.id}/main")
    terminal.until("IDLE", "CARD_READ", "CANCELLED")
    return terminal


@pytest.fixture
def webhook_catcher(countertop_server: RunningServer) -> Iterator[WebhookCatcher]:
    """Catches what the server delivers of Smart Terminal requests during the test."""
    with countertop_server.catching() as catcher:
        yield catcher
