"""The demonstration: what it prints works when it is pasted."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from countertop.sandbox.demo import DemoAccess
from countertop.testing.caller import Caller
from countertop.testing.terminal import VirtualTerminal
from tests.canary import GIFT, GIFT_STRIPE, watch
from tests.end_to_end.process import COMMAND, STOP_S, environment, wait_until


class Demo:
    """A demonstration that runs, and everything it has printed since it was started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output"
        with self.output.open("wb") as output:
            command = [*COMMAND, "demo", "--port", "0", "--data", "data"]
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment() | {"COLUMNS": "40"}, stdout=output, stderr=subprocess.STDOUT
            )
        wait_until(lambda: "Ctrl-C" in self.printed or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.printed

    @property
    def printed(self) -> str:
        return self.output.read_text("utf-8")

    def shown(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)", self.printed, re.MULTILINE)
        assert found is not None, self.printed
        return found[1]

    def commands(self) -> list[str]:
        return [line for line in self.printed.splitlines() if line.startswith("curl ")]

    def access(self) -> DemoAccess:
        return DemoAccess.model_validate_json((self.folder / "data/demo.json").read_bytes())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    watch(tmp_path / "data")
    yield demo
    if demo.process.poll() is None:
        demo.process.kill()
        demo.process.wait()


def pasted(command: str) -> str:
    """What a command prints when it is pasted into a shell of its own."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=70, check=True).stdout


def test_the_printed_commands_read_a_card(demo: Demo) -> None:
    read, poll = demo.commands()
    assert '"requestId" : "' in pasted(read)
    access = demo.access()
    with Caller(demo.shown("API"), access.login, access.password, access.application_key) as caller:
        terminal = VirtualTerminal(caller, access.smart_terminal_id)
        assert caller.get(demo.shown("Terminal").removeprefix(caller.url)).status == 200
        terminal.until("SWIPE_CARD")
        wait_until(lambda: demo.printed.count("SMARTTERMINAL_REQUEST") == 2)
        terminal.swipe(GIFT_STRIPE)
    assert f'"trackData" : "{GIFT_STRIPE}"' in pasted(poll)
    wait_until(lambda: "COMPLETE CARD_READ" in demo.printed)
    line = next(line for line in demo.printed.splitlines() if "COMPLETE" in line)
    assert "✓ X-Pj-Signature  ✓ webhook-signature" in line
    assert GIFT not in demo.printed
    assert demo.stop() == 0


def test_it_keeps_its_credentials_to_itself(demo: Demo) -> None:
    file = demo.folder / "data/demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = demo.access()
    assert demo.stop() == 0
    again = Demo(demo.folder)
    try:
        assert demo.access().model_copy(update={"webhook_port": 0}) == before.model_copy(update={"webhook_port": 0})
        with Caller(again.shown("API"), before.login, before.password, before.application_key) as caller:
            assert len(caller.get("/webhooks").json["results"]) == 1
    finally:
        assert again.stop() == 0
