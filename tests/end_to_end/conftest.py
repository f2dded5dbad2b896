"""One server for tests that leave it as they found it, and new ones for those that stop, kill or starve theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from countertop.testing.caller import Caller
from countertop.testing.terminal import VirtualTerminal
from tests.end_to_end.process import SEED, ServerProcess, terminal

StartServer = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "seed.toml").write_text(SEED)
    server = ServerProcess(folder, arguments=["--seed", "seed.toml"])
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture
def caller(shared_server: ServerProcess) -> Iterator[Caller]:
    with shared_server.caller() as caller:
        yield caller


@pytest.fixture
def counter(caller: Caller) -> VirtualTerminal:
    """A virtual terminal that waits for somebody, plugged in and free."""
    counter = terminal(caller)
    counter.plug()
    caller.post(f"/smartterminals/{counter.id}/main")
    return counter


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    servers: list[ServerProcess] = []

    def start(**settings: object) -> ServerProcess:
        (tmp_path / "seed.toml").write_text(SEED)
        server = ServerProcess(tmp_path, settings, ["--seed", "seed.toml"])
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.kill()
