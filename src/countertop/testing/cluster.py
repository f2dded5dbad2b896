"""A whole gateway on this machine: PostgreSQL, NATS and any number of nodes, each a process of its own.

    with run_cluster(nodes=2) as cluster:
        cluster.nodes[0].kill()
        cluster.nodes[0].start()

PostgreSQL and NATS come from wheels (extra `cluster`). Nodes keep their ports when they are started again, and find one shop
with as many terminals as were asked for; `Shop.tokens` are what those terminals log in with.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from countertop.domain.ids import ordered_uuid
from countertop.gateway.assembly import open_sealer, opened_store
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.clock import SystemClock
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.terminal import set_token
from countertop.gateway.seed import check_seed, plant
from countertop.gateway.settings import ENVIRONMENT_PREFIX, load_settings
from countertop.gateway.store.unit import Unit
from countertop.testing.caller import Caller
from countertop.testing.nats import NatsServer, nats_server
from countertop.testing.postgres import PostgresServer, start_postgres

TERMINAL_ID: Final = 1
SHOP: Final = "shop.json"
"""The shop's credentials, in the cluster's folder."""
START_S: Final = 60.0
STOP_S: Final = 15.0
PORTS: Final = range(20_000, 32_000)
"""Below those that a system gives to clients, so that nobody takes a node's port while the node is down."""

COMMAND: Final = (sys.executable, "-c", "from countertop.cli import main; main()")


class Process(Protocol):
    """What is needed of a child process; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end."""
        ...

    def send_signal(self, sig: int) -> None:
        """Sends it a signal."""
        ...


Spawn = Callable[[Sequence[str], Mapping[str, str], Path], Process]
"""Starts `countertop` with arguments and an environment; what it writes is appended to a file."""


def spawn(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    """A new process for the command."""
    with log.open("ab") as output:
        return subprocess.Popen([*COMMAND, *arguments], env=dict(environment), stdout=output, stderr=output)  # noqa: S603 - our own


@dataclass(frozen=True)
class Shop:
    """One merchant: its login, and its terminals with the token that each logs in with."""

    login: str
    password: str = field(repr=False)
    application_key: str = field(repr=False)
    tokens: Mapping[str, str] = field(repr=False)

    @classmethod
    def new(cls, terminals: int = 1) -> Shop:
        """A shop with credentials of its own."""
        tokens = {str(uuid.uuid4()): secrets.token_urlsafe(32) for _ in range(terminals)}
        return cls("shop", secrets.token_urlsafe(15), str(uuid.uuid4()), tokens)

    @classmethod
    def kept_in(cls, folder: Path, terminals: int = 1) -> Shop:
        """The shop of last time, if there was one; otherwise a new one, kept for the next."""
        file = folder / SHOP
        if not file.exists():
            shop = cls.new(terminals)
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
                json.dump(asdict(shop), output, indent=2)
        return cls(**json.loads(file.read_bytes()))

    def document(self) -> dict[str, Any]:
        """The seed that makes it."""
        devices = [{"smartTerminalId": device, "nickName": f"Counter {at}"} for at, device in enumerate(self.tokens, 1)]
        merchant = {
            "name": "Corner Books",
            "login": [{"login": self.login, "password": self.password}],
            "application_key": [{"key": self.application_key}],
            "terminal": [{"terminalId": TERMINAL_ID, "nickName": "Main", "default": True}],
            "smart_terminal": devices,
        }
        return {"merchant": [merchant]}


class NodeProcess:
    """One node: started, killed, stopped and started again on the same port and data.

    `settings` are those of the gateway, by name; `environment` is what else its process is to find there. Everything it keeps and
    writes is in `folder`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object], *, spawn: Spawn = spawn) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = dict(settings)
        self.environment: dict[str, str] = {}
        self._spawn = spawn
        self._process: Process | None = None

    @property
    def log(self) -> Path:
        """What it wrote, over all its lives."""
        return self.folder / "log"

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process's number. Raises RuntimeError if it was not started."""
        return self._started().pid

    @property
    def ready(self) -> bool:
        """Whether it has said that it serves."""
        return self.running and self._ready_file.exists()

    def start(self) -> None:
        """Starts it and waits until it serves. Raises RuntimeError with the end of its log if it does not."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Starts it, without waiting."""
        self._ready_file.unlink(missing_ok=True)
        settings = {"server": "test", "data": self.folder / "data", "port": self.port, **self.settings}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        environment = (
            kept | self.environment | {f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in settings.items()}
        )
        self._process = self._spawn(["serve", "--ready-file", str(self._ready_file)], environment, self.log)

    def wait_until_ready(self) -> None:
        """Returns when it serves. Raises RuntimeError with the end of its log if it ended or takes too long."""
        end = time.monotonic() + START_S
        while not self.ready:
            if not self.running or time.monotonic() > end:
                raise RuntimeError(f"a node did not start: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)

    def kill(self) -> None:
        """`kill -9`, if it runs."""
        if self.running:
            self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self) -> int:
        """SIGTERM. Returns the exit status."""
        self.signal(signal.SIGTERM)
        return self._started().wait(STOP_S)

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        self._started().send_signal(number)

    def _started(self) -> Process:
        if self._process is None:
            raise RuntimeError("the node was not started")
        return self._process

    @property
    def _ready_file(self) -> Path:
        return self.folder / "ready.json"


class Cluster:
    """Nodes over one PostgreSQL and one NATS, either of which can be taken away and brought back."""

    def __init__(self, folder: Path, shop: Shop, nodes: int, settings: Mapping[str, object], spawn: Spawn) -> None:
        self.folder = folder
        self.shop = shop
        self._stack = contextlib.ExitStack()
        self._bus = contextlib.ExitStack()
        place = folder / "postgresql"
        place.mkdir(parents=True, exist_ok=True)
        self.postgres: PostgresServer = start_postgres(place, durable=True)
        self._stack.callback(self.stop_postgres)
        self._stack.callback(self._bus.close)
        try:
            self.nats: NatsServer = self._bus.enter_context(nats_server())
        except BaseException:
            self.close()
            raise
        self.key_file = folder / "secret.key"
        self.settings: dict[str, object] = {
            "database_url": self.postgres.url(),
            "bus_url": self.nats.url,
            "secret_key_file": self.key_file,
            **settings,
        }
        self.nodes = [NodeProcess(folder / f"node-{number}", self.settings, spawn=spawn) for number in range(1, nodes + 1)]

    def start(self) -> None:
        """Makes the shop, then starts all nodes."""
        plant_shop(self.shop, {"data": self.folder / "data", **self.settings})
        self._stack.callback(self._stop_nodes)
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until_ready()

    def close(self) -> None:
        """Stops everything."""
        self._stack.close()

    def caller(self, node: int = 0) -> Caller:
        """Calls one of the nodes as the shop."""
        return Caller(self.nodes[node].url, self.shop.login, self.shop.password, self.shop.application_key)

    def stop_nats(self) -> None:
        """Takes NATS away."""
        self._bus.close()

    def start_nats(self) -> None:
        """Brings NATS back, where it was."""
        self.nats = self._bus.enter_context(nats_server(self.nats.port))

    def stop_postgres(self, *, immediate: bool = False) -> None:
        """Takes PostgreSQL away; `immediate`: as if it had crashed, so that it has to recover at its next start."""
        if immediate:
            os.kill(self.postgres.pid, signal.SIGQUIT)
        self.postgres.stop()

    def start_postgres(self) -> None:
        """Brings PostgreSQL back, where it was."""
        self.postgres = start_postgres(self.folder / "postgresql", durable=True)

    def _stop_nodes(self) -> None:
        running = [node for node in self.nodes if node.running]
        for node in running:
            node.signal(signal.SIGCONT)
            node.signal(signal.SIGTERM)
        for node in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.stop()
            node.kill()


@contextlib.contextmanager
def run_cluster(
    settings: Mapping[str, object] | None = None,
    *,
    folder: Path | None = None,
    nodes: int = 2,
    terminals: int = 1,
    spawn: Spawn = spawn,
) -> Iterator[Cluster]:
    """Runs a cluster until the context is left, in `folder` or in one that is removed at the end.

    `settings` are those of its nodes. Raises PostgresMissing or NatsMissing where these servers are not installed.
    """
    quick = {"poll_interval": 0, "rate_limit": "100000/100000", "log_level": "warning"} | dict(settings or {})
    with contextlib.ExitStack() as stack:
        if folder is None:
            # Not where pytest keeps its folders: those are closed to the user that PostgreSQL runs as, and too long for sockets.
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="countertop-cluster-", ignore_cleanup_errors=True))
            folder = Path(name)
            folder.chmod(0o755)
        folder.mkdir(parents=True, exist_ok=True)
        cluster = Cluster(folder, Shop.kept_in(folder, terminals), nodes, quick, spawn)
        stack.callback(cluster.close)
        cluster.start()
        yield cluster


def plant_shop(shop: Shop, settings: Mapping[str, object]) -> None:
    """Writes a shop and its terminals' tokens into the database that the settings name. Doing it again changes nothing."""
    asyncio.run(_plant(shop, settings))


async def _plant(shop: Shop, given: Mapping[str, object]) -> None:
    settings, clock = load_settings(given), SystemClock()
    node_id = ordered_uuid(clock.now(), os.urandom)
    async with opened_store(settings, open_sealer(settings), LocalBus().publish) as store:
        seed = check_seed(shop.document(), "the shop", test_server=True)
        await plant(store, seed, lambda: Moment(clock.now(), os.urandom, node_id))
        await store.write(_set_tokens, shop.tokens)


def _set_tokens(unit: Unit, tokens: Mapping[str, str]) -> None:
    for smart_terminal_id, token in tokens.items():
        set_token(unit, smart_terminal_id, hashlib.sha256(token.encode()).digest())


def free_port() -> int:
    """A port that nobody listens on, and that stays free while its owner is down."""
    for _ in range(1000):
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
