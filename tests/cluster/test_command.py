"""`countertop cluster`: one command, several nodes, a card read at one and polled at another."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from countertop.testing.caller import Caller
from tests.end_to_end.process import COMMAND, environment, run

pytestmark = [pytest.mark.cluster, pytest.mark.postgres]


class Printed:
    """A cluster's process, and what it printed so far."""

    def __init__(self, data: Path, output: Path) -> None:
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [*COMMAND, "cluster", "--nodes", "2", "--data", str(data)], env=environment(), stdout=file, stderr=file
            )
        self._output = output

    def fact(self, name: str) -> str:
        """What stands behind a name."""
        found = re.search(rf"^ +{name} +(\S+)", self._output.read_text(), re.MULTILINE)
        assert found, self._output.read_text()
        return found[1]

    def wait(self) -> None:
        """Returns when it has said everything; skips if this machine has no servers for it."""
        end = time.monotonic() + 60
        while "Ctrl-C ends the cluster" not in (text := self._output.read_text()):
            if self.process.poll() is not None:
                assert "a cluster needs PostgreSQL and NATS" in text
                pytest.skip(text)
            assert time.monotonic() < end, text
            time.sleep(0.05)

    def caller(self, node: int) -> Caller:
        return Caller(self.fact(f"Node {node}"), self.fact("Login"), self.fact("Password"), self.fact("Application key"))


def test_a_cluster_from_one_command(tmp_path_factory: pytest.TempPathFactory) -> None:
    # In the system's own place for such things: PostgreSQL's user cannot go where pytest keeps its folders.
    data = Path(f"/tmp/countertop-test-{os.getpid()}")  # noqa: S108 - of this process alone, and kept short for a socket
    printed = Printed(data, tmp_path_factory.mktemp("cluster") / "output")
    try:
        printed.wait()
        smart_terminal_id = next(iter(json.loads((data / "shop.json").read_text())["tokens"]))
        with printed.caller(1) as first, printed.caller(2) as second:
            reply = first.post(f"/smartterminals/{smart_terminal_id}/request-read", {"terminalId": 1})
            assert reply.status == 200, reply.body
            polled = second.get(f"/smartterminals/requests/{reply.json['requestId']}?wait=5")
            assert polled.json["status"] == "IN_PROGRESS"  # its own terminal shows it
        printed.process.send_signal(signal.SIGTERM)
        assert printed.process.wait(30) == 0
    finally:
        printed.process.kill()
        printed.process.wait()
        shutil.rmtree(data, ignore_errors=True)


def test_a_number_of_nodes_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    refused = run("cluster", "--nodes", "0", folder=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
