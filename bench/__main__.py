"""`make bench`: measures the speed claims on this machine and prints a table.

    python -m bench [--rounds 5] [--seconds 3] [--data DIR] [ROW …]

Servers run on core 0, the load on core 1; each round is the product and its reference, one right after the other.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.machine import LOAD_CORE, describe, flush_time, on_core
from bench.result import HEAD

ROWS: Final = ("post", "poll", "life", "latency", "delivery", "idle", "crowd", "stored")


def main() -> int:
    """Runs the rows that were asked for, all if none was. The exit status says whether every goal was met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the speed claims on this machine.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(ROWS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of product and reference in each row")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one measurement")
    parser.add_argument("--data", type=Path, default=Path("build"), help="where data directories are made: the disk that counts")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    raise_file_limit()
    arguments.data.mkdir(parents=True, exist_ok=True)
    print(describe())
    with on_core(LOAD_CORE), tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.data) as folder:
        return run(arguments.rows or ROWS, Path(folder).absolute(), arguments.rounds, arguments.seconds)


def run(rows: Sequence[str], folder: Path, rounds: int, seconds: float) -> int:
    """Measures and prints one row after the other. Returns 0 if every goal was met, else 1."""
    print(f"F = {1000 * flush_time(folder):.3f} ms; medians of {rounds} pairs\n\n{HEAD}", flush=True)
    met = True
    for row in rows:
        measure = importlib.import_module(f"bench.row.{row}").measure
        for result in measure(folder / row, rounds, seconds):
            print(result.line(), flush=True)
            met = met and result.goal.met(result.ratio)
    return 0 if met else 1


def raise_file_limit() -> None:
    """As many open files as the system allows: a crowd of terminals needs them, here and in the servers."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
