"""Servers as processes of their own on the server's core: the product, and the references beside it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bench.data import COUNTERTOP
from bench.machine import SERVER_CORE, cpu_of, on_core

Stream = int | IO[bytes] | None
CONNECT_DEADLINE: Final = 600
"""Seconds after which a request ends that its terminal has not shown: more than a round lasts, and little of the day after which
what has ended is forgotten."""
PATIENCE: Final = 60.0
"""Seconds that a server may take to start."""


@dataclass(frozen=True)
class Server:
    """A running server on this machine."""

    port: int
    pid: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        return cpu_of(self.pid)


@contextlib.contextmanager
def product(folder: Path, *, command: Sequence[str] = COUNTERTOP, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """One gateway node over a prepared data directory, with its limits on rates out of the way and deadlines beyond the run.

    `settings` are more of its environment.
    """
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    line = [*command, "serve", "--server", "test", "--port", "0", "--data", str(folder), "--ready-file", str(ready)]
    line += ["--rate-limit", "1000000/1000000", "--poll-interval", "0", "--log-level", "error"]
    line += ["--connect-deadline", str(CONNECT_DEADLINE), "--request-deadline", "300"]
    with (folder / "log").open("ab") as log, _running(line, stdout=log, stderr=log, settings=settings) as process:
        url = _when_ready(ready, process)
        yield Server(int(url.rpartition(":")[2]), process.pid)


def _when_ready(ready: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return str(json.loads(ready.read_text("utf-8"))["url"])
        time.sleep(0.02)
    raise RuntimeError(f"the gateway did not start; its log is in {ready.parent / 'log'}")


@contextlib.contextmanager
def reference(name: str) -> Iterator[Server]:
    """A reference that serves."""
    with _running([sys.executable, "-m", "bench.reference", name], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), process.pid)


def start_client(port: int, count: int) -> subprocess.Popen[bytes]:
    """The bare client of `bench.reference`."""
    return _start([sys.executable, "-m", "bench.reference", "client", str(port), str(count)])


def _start(
    command: list[str], stdout: Stream = None, stderr: Stream = None, settings: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    with on_core(SERVER_CORE):
        return subprocess.Popen(command, stdout=stdout, stderr=stderr, env={**os.environ, **(settings or {})})


@contextlib.contextmanager
def _running(
    command: list[str], stdout: Stream = None, stderr: Stream = None, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = _start(command, stdout, stderr, settings)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
