"""The terminal's software as a process of its own: it is paired once, shows a page, reads cards, and remembers who it is."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from countertop.terminal.readers.simulated import CARDS
from countertop.testing.caller import Caller, ended
from tests.end_to_end.process import COMMAND, LOGIN, PASSWORD, REAL, STOP_S, ServerProcess, environment, post_read, wait_until

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@contextmanager
def run_terminal(server: ServerProcess, folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """What it prints, and the reader's cable."""
    output = folder / "output"
    arguments = ["terminal", "run", "--gateway", server.url, "--reader", "simulated", "--screen-port", "0", "--data", "token"]
    with output.open("wb") as file:
        terminal = subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, env=environment(), stdin=subprocess.PIPE, stdout=file, stderr=file
        )
    assert terminal.stdin is not None
    try:
        yield output, terminal.stdin
        terminal.send_signal(signal.SIGTERM)
        assert terminal.wait(STOP_S) == 0, output.read_text()
    finally:
        terminal.stdin.close()
        terminal.kill()
        terminal.wait()


def confirm(caller: Caller, code: str) -> None:
    """What an operator does in the console."""
    here = {"Origin": caller.url}
    entered = caller.call("POST", "/pair", {"action": "login", "login": LOGIN, "password": PASSWORD}, here)
    assert entered.status == 303
    cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    form = {"action": "confirm", "user_code": code, "smart_terminal_id": REAL}
    confirmed = caller.call("POST", "/pair", form, here | cookie | {"Accept": "text/html"})
    assert (confirmed.status, b"Paired" in confirmed.body) == (200, True)


def reads(caller: Caller, output: Path, cable: IO[bytes]) -> None:
    request_id = post_read(caller, REAL)
    wait_until(lambda: "SWIPE_CARD: Please swipe your card" in output.read_text(), 20)
    cable.write(b"membership\n")
    cable.flush()
    assert ended(caller, request_id)["trackData"] == CARDS["membership"]


def test_a_terminal_is_paired_once_and_reads(shared_server: ServerProcess, caller: Caller, tmp_path: Path) -> None:
    with run_terminal(shared_server, tmp_path) as (output, cable):
        wait_until(lambda: "PAIRING" in output.read_text(), 60)
        (code,) = re.findall(r"^PAIRING: (\S+) ", output.read_text(), re.MULTILINE)
        confirm(caller, code)
        wait_until(lambda: "IDLE: Welcome" in output.read_text(), 20)
        (page,) = re.findall(r"^screen: (\S+)", output.read_text(), re.MULTILINE)
        with Caller(page, "", "", "") as browser:
            assert b"<!doctype html>" in browser.call("GET", "/", headers={"Accept": "text/html"}).body
            # A site whose name has come to mean this machine gets no page, and no link to the terminal.
            assert browser.call("GET", "/", headers={"Host": "rebound.example", "Accept": "text/html"}).status == 403
            link = {"Host": "rebound.example", "Origin": "http://rebound.example"} | UPGRADE
            assert browser.call("GET", "/link", headers=link).status == 403
        reads(caller, output, cable)
        assert CARDS["membership"] not in output.read_text()
    assert (tmp_path / "token/token").stat().st_mode & 0o777 == 0o600

    with run_terminal(shared_server, tmp_path) as (output, cable):
        wait_until(lambda: "IDLE: Welcome" in output.read_text(), 60)
        assert "PAIRING" not in output.read_text()
        reads(caller, output, cable)
