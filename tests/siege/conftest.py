"""A server under siege, and what is measured meanwhile: its memory, and how long its other callers wait.

With `-v` the figures of all sieges are printed at the end.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.end_to_end.process import KEY, LOGIN, PASSWORD, ROBOT, SEED, ServerProcess, wait_until
from tests.siege import neighbour as next_door

SAMPLES: Final = 40
"""Answers of each kind whose median counts as the latency."""
SLACK_MS: Final = 1.0
"""What latency may grow by beside twice, for this machine is not the server's alone."""
TRIES: Final = 5
"""A machine that is busy with something else is measured again."""

figures: Final[dict[str, dict[str, float]]] = {}
"""What was measured, by siege: `MiB` above what the server had before, and in milliseconds how long posts and polls took."""

Siege = Callable[[], AbstractAsyncContextManager[object]]


class Latency(NamedTuple):
    """How long answers took, in milliseconds: the medians."""

    post: float
    poll: float


class Neighbour:
    """A well-behaved point of sale in a process of its own."""

    def __init__(self, server: ServerProcess, folder: Path, name: str) -> None:
        self._figures = figures.setdefault(name, {})
        self._said = folder / "neighbour"
        command = [sys.executable, next_door.__file__, server.url, LOGIN, PASSWORD, KEY, ROBOT]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(command, stdout=said)
        wait_until(self.answers, 20)

    def answers(self) -> list[str]:
        """What it has written down so far."""
        return self._said.read_text().splitlines()[:-1]

    async def latency(self) -> Latency:
        """How long its next answers take. Each of them has to be good."""
        start = len(self.answers()) + 1  # the one that is under way began before
        end = time.monotonic() + 30
        while True:
            answers = self.answers()[start:]
            posts, polls = _took(answers, "post"), _took(answers, "poll")
            if len(posts) >= SAMPLES:
                break
            assert time.monotonic() < end, f"{len(posts)} reads in 30 seconds"
            await asyncio.sleep(0.02)
        assert "-" not in answers
        return Latency(statistics.median(posts), statistics.median(polls))

    async def is_spared(self, siege: Siege) -> None:
        """Holds that its latency during a siege is at most twice what it is without, and `SLACK_MS`."""
        seen: list[tuple[Latency, Latency]] = []
        for _ in range(TRIES):
            calm = await self.latency()
            async with siege():
                besieged = await self.latency()
            seen.append((calm, besieged))
            self._figures |= {"post": calm.post, "post under siege": besieged.post}
            self._figures |= {"poll": calm.poll, "poll under siege": besieged.poll}
            if all(during <= 2 * before + SLACK_MS for before, during in zip(calm, besieged, strict=True)):
                return
        raise AssertionError(f"milliseconds without and with the siege: {seen}")

    def stop(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


def _took(answers: list[str], what: str) -> list[float]:
    return [float(took) for name, _, took in (answer.partition(" ") for answer in answers) if name == what]


class Memory:
    """The resident memory of a process, in MiB, as Linux accounts it."""

    def __init__(self, pid: int, name: str) -> None:
        self._figures = figures.setdefault(name, {})
        self._place = Path(f"/proc/{pid}")
        self._before = 0.0

    def now(self) -> float:
        """What it is."""
        return self._read("VmRSS")

    def begin(self) -> None:
        """Begins to watch for the highest value."""
        (self._place / "clear_refs").write_text("5")
        self._before = self.now()

    def growth(self) -> float:
        """How far it has been above its value at `begin`, at most."""
        self._figures["MiB"] = self._read("VmHWM") - self._before
        return self._figures["MiB"]

    def files(self) -> int:
        """How many files and connections the process has open."""
        return len(list((self._place / "fd").iterdir()))

    def _read(self, name: str) -> float:
        line = next(line for line in (self._place / "status").read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) / 1024


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all sieges; it has to stop in good order after the last."""
    folder = tmp_path_factory.mktemp("siege")
    (folder / "seed.toml").write_text(SEED)
    server = ServerProcess(folder, {"log_level": "error"}, ["--seed", "seed.toml"])
    server.start()
    try:
        yield server
        assert server.stop() == 0
        assert server.log.read_text()[:2000] == ""  # a siege is no error, and fills no log with errors
    finally:
        server.kill()


@pytest.fixture
def neighbour(server: ServerProcess, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Neighbour]:
    """A point of sale that has nothing to do with the siege."""
    neighbour = Neighbour(server, tmp_path, request.node.name)
    yield neighbour
    neighbour.stop()


@pytest.fixture
def memory(server: ServerProcess, request: pytest.FixtureRequest) -> Memory:
    """The server's memory, watched from now on."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("memory is measured where there is /proc")
    memory = Memory(server.pid, request.node.name)
    memory.begin()
    return memory


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what was measured, if more than the tests' names is wanted."""
    if not figures or config.get_verbosity() < 1:
        return
    terminalreporter.section("sieges")
    for name, measured in figures.items():
        terminalreporter.line("  ".join([f"{name:60}", *(f"{what} {value:6.1f}" for what, value in sorted(measured.items()))]))
