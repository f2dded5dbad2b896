"""Nodes that start quickly: a process that has loaded the gateway once and forks for each node.

What is forked is a process like any other: killed, stopped and gone on its own. Only the second of importing is saved, so that a
thousand kills fit into an hour. `Nursery.spawn` is a `countertop.testing.cluster.Spawn`.

A node may be given another idea of the time: `OFFSET` in its environment, in seconds, is added to the system's clock for it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

OFFSET: Final = "FAULT_CLOCK_OFFSET"
LOADED: Final = (
    "alembic.command",
    "countertop.cli.serve",
    "countertop.gateway.store.migration",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)


class Child:
    """A node's process, as the nursery sees it. Has what `countertop.testing.cluster.Process` asks for."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self._status: int | None = None
        self.pid = pid

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        if self._status is None:
            self._status = self._nursery.ask({"poll": self.pid})
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end."""
        end = time.monotonic() + (timeout or 3600)
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("node", timeout or 0)
            time.sleep(0.002)
        return status

    def send_signal(self, sig: int) -> None:
        """Sends it a signal, if it still runs."""
        self._nursery.ask({"signal": sig, "pid": self.pid})


class Nursery:
    """The process that forks. Made by `nursery()`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def spawn(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        """Starts a node."""
        return Child(self, self.ask({"start": list(arguments), "environment": dict(environment), "log": str(log)}))

    def ask(self, question: dict[str, Any]) -> Any:
        """One question, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery; all its children are gone when the context is left."""
    command = [sys.executable, "-m", "bench.fault.nursery"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)


def main() -> None:
    """Serves questions from standard input until it ends; then kills what still runs."""
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    statuses: dict[int, int | None] = {}
    for line in sys.stdin:
        question = json.loads(line)
        _reap(statuses)
        print(json.dumps(_answer(question, statuses)), flush=True)
    _reap(statuses)
    for pid in (pid for pid, status in statuses.items() if status is None):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _answer(question: dict[str, Any], statuses: dict[int, int | None]) -> int | None:
    if "start" in question:
        pid = _fork(question["start"], question["environment"], question["log"])
        statuses[pid] = None
        return pid
    pid = question["pid"] if "signal" in question else question["poll"]
    if "signal" in question and statuses[pid] is None:
        os.kill(pid, question["signal"])  # not reaped yet, so the number is still its own
    return statuses[pid]


def _reap(statuses: dict[int, int | None]) -> None:
    for pid in [pid for pid, status in statuses.items() if status is None]:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            statuses[pid] = os.waitstatus_to_exitcode(status)


def _fork(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        _become(arguments, environment, log)
    finally:
        os._exit(70)


def _become(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environment)
    if OFFSET in environment:
        _shift_time(float(environment[OFFSET]))
    sys.argv = ["countertop", *arguments]
    from countertop.cli import main as run  # noqa: PLC0415 - in the child only

    try:
        run()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(0)


def _shift_time(offset_s: float) -> None:
    """Makes this process believe in another time of day; how long things take stays true."""
    true_time, true_time_ns = time.time, time.time_ns
    time.time = lambda: true_time() + offset_s
    time.time_ns = lambda: true_time_ns() + round(offset_s * 1e9)


if __name__ == "__main__":
    main()
