"""A database that cannot be written for a while: calls are answered 503, and once it can be again everything goes on."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from countertop.testing.caller import Caller, ended
from tests.canary import GIFT_STRIPE
from tests.end_to_end.conftest import StartServer
from tests.end_to_end.process import COUNTER, ServerProcess, post_read, terminal, wait_until

Trouble = Callable[[ServerProcess], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def locked_file(server: ServerProcess) -> Iterator[None]:
    """Another process has locked the database file."""
    with contextlib.closing(sqlite3.connect(server.data / "countertop.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def file_limit(server: ServerProcess) -> Iterator[None]:
    """The system lets no file grow any more."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def full_disk(server: ServerProcess) -> Iterator[None]:
    """The disk has no room left."""
    filler = server.data / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
    yield
    filler.unlink()


TROUBLES: list[Trouble] = [locked_file, file_limit]


def held_off(caller: Caller) -> None:
    reply = caller.post(f"/smartterminals/{COUNTER}/request-read", {"terminalId": 1})
    assert reply.status == 503
    assert reply.json == {"errors": [{"message": "503 Service Unavailable"}]}
    assert "retry-after" in reply.headers
    assert caller.get("/readyz").status == 503
    assert caller.get("/healthz").status == 200


def goes_through_trouble(server: ServerProcess, trouble: Trouble) -> None:
    with server.caller() as caller:
        assert caller.get("/readyz").status == 200
        before = post_read(caller)
        terminal(caller).until("SWIPE_CARD")
        wait_until(lambda: caller.get(f"/smartterminals/requests/{before}").json["status"] == "IN_PROGRESS")
        with trouble(server):
            held_off(caller)
            if trouble is not file_limit:  # which a log is under, too
                wait_until(
                    lambda: b'"level": "warning"' in server.log.read_bytes() or b'"level": "error"' in server.log.read_bytes()
                )
            terminal(caller).swipe(GIFT_STRIPE)
        wait_until(lambda: caller.get("/readyz").status == 200)
        assert ended(caller, before, 30)["trackData"] == GIFT_STRIPE
        after = post_read(caller)
        terminal(caller).until("SWIPE_CARD")
        terminal(caller).press("CANCEL")
        assert ended(caller, after)["outcome"] == "CUSTOMER_CANCELLED"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_it_says_503_and_heals(trouble: Trouble, start_server: StartServer) -> None:
    goes_through_trouble(start_server(), trouble)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "data"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root; a limit on the size of files was tried instead")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(small_disk: Path, start_server: StartServer) -> None:
    server = start_server()
    assert server.data == small_disk
    goes_through_trouble(server, full_disk)
