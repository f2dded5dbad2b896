"""`countertop serve` as a process of its own: started, stopped, killed and started again on the same data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from countertop.testing.caller import Caller
from countertop.testing.terminal import VirtualTerminal
from tests.canary import watch

COMMAND: Final = (sys.executable, "-c", "from countertop.cli import main; main()")
START_S: Final = 60.0
STOP_S: Final = 10.0

LOGIN, PASSWORD, KEY = "corner", "a password with ü", "2f0f2f0e-2a63-4f3a-9d2e-9a2c7b0c2a10"
COUNTER: Final = "88888888-4444-4444-4444-cccccccccccc"
ROBOT: Final = "88888888-4444-4444-4444-dddddddddddd"
REAL: Final = "88888888-4444-4444-4444-eeeeeeeeeeee"

SEED: Final = f"""
[[merchant]]
name = "Corner Books"

  [[merchant.login]]
  login = "{LOGIN}"
  password = "{PASSWORD}"

  [[merchant.application_key]]
  key = "{KEY}"

  [[merchant.terminal]]
  terminalId = 1
  nickName = "Main"
  type = "CARD"

  [[merchant.smart_terminal]]
  smartTerminalId = "{COUNTER}"
  nickName = "Counter 1"
  virtual = true

  [[merchant.smart_terminal]]
  smartTerminalId = "{ROBOT}"
  nickName = "Counter 2"
  virtual = true
    [merchant.smart_terminal.autopilot]
    after_ms = 5
    swipe = ";7090112233654321?"
    press = "BUTTON_2"
    type = "8055551234"
    sign = true
    card = "4444333322221111"

  [[merchant.smart_terminal]]
  smartTerminalId = "{REAL}"
  nickName = "Counter 3"
"""


def environment(**settings: object) -> dict[str, str]:
    """This process's environment with these settings and no other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERTOP_")}
    return kept | {f"COUNTERTOP_{name.upper()}": str(value) for name, value in settings.items()}


def run(*arguments: str, folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs a command that ends by itself."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


@dataclass
class ServerProcess:
    """A server in a folder. Its data directory and its log are watched for canaries."""

    folder: Path
    settings: dict[str, object] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    url: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where it keeps everything."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What it wrote to standard error, over all its lives."""
        return self.folder / "log"

    @property
    def ready_file(self) -> Path:
        """What says that it serves."""
        return self.folder / "ready.json"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> dict[str, Any]:
        """Starts it and returns the ready file's content once it serves."""
        watch(self.folder)
        quick = {"port": 0, "poll_interval": 0, "rate_limit": "100000/100000"} | self.settings
        command = [*COMMAND, "serve", "--data", str(self.data), "--ready-file", str(self.ready_file), *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment(**quick), stdout=log, stderr=log)
        wait_until(lambda: self.ready_file.exists() or self.process is None or self.process.poll() is not None, START_S)
        assert self.process.poll() is None, self.log.read_text()
        ready: dict[str, Any] = json.loads(self.ready_file.read_text())
        self.url = ready["url"]
        return ready

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.ready_file.unlink(missing_ok=True)

    def stop(self) -> int:
        """SIGTERM. Returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def caller(self) -> Caller:
        """Calls it as the seeded merchant."""
        return Caller(self.url, LOGIN, PASSWORD, KEY)


def wait_until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Waits for a condition. Raises TimeoutError."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not come to that")
        time.sleep(0.02)


def terminal(caller: Caller, smart_terminal_id: str = COUNTER) -> VirtualTerminal:
    """One of its virtual terminals."""
    return VirtualTerminal(caller, smart_terminal_id)


def post_read(caller: Caller, smart_terminal_id: str = COUNTER, kind: str = "request-read", **form: object) -> str:
    """Starts a request and returns its id."""
    fields: dict[str, Any] = {"terminalId": 1, **form}
    reply = caller.post(f"/smartterminals/{smart_terminal_id}/{kind}", fields)
    assert reply.status == 200, reply.body
    return str(reply.json["requestId"])
