"""The machine that measures: its description, its cores, its disk."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
CORES: Final = sorted(os.sched_getaffinity(0))
"""The cores that this process was given."""
APPEND: Final = b"x" * 200


@contextlib.contextmanager
def on_core(role: int) -> Iterator[None]:
    """Keeps the calling thread, and the processes it starts meanwhile, on one core. With a single core both roles share it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[role % len(CORES)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe() -> str:
    """The machine in one line."""
    processor = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((int(line.split()[1]) // 1024**2 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{len(CORES)} cores of {processor or platform.machine()}, {memory} GiB, {system}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []


def flush_time(folder: Path, times: int = 200) -> float:
    """F: the median of seconds that appending 200 bytes and `fdatasync` takes, on the disk of `folder`."""
    descriptor = os.open(folder / "flush", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            os.write(descriptor, APPEND)
            os.fdatasync(descriptor)
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)
    finally:
        os.close(descriptor)


def memory_of(pid: int) -> int:
    """Bytes that a process holds for itself (its proportional share, from the kernel)."""
    lines = _lines(f"/proc/{pid}/smaps_rollup")
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def cpu_of(pid: int) -> float:
    """Seconds of CPU that all threads of a process have used, to the nanosecond (Linux: the process's CPU clock)."""
    return time.clock_gettime((~pid << 3) | 2)
