"""`make bench`: measures the speed claims on this machine and prints a table.

    python -m bench [--rounds 15] [--seconds 1] [--quick] [--data DIR] [ROW …]

Servers run on core 0, the load on core 1; each round is the product and its reference, one right after the other. `--quick` shows
that everything runs, with figures that say nothing.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.machine import LOAD_CORE, describe, flush_time, on_core
from bench.result import HEAD
from bench.setting import Setting

ROWS: Final = ("post", "poll", "life", "latency", "delivery", "idle", "crowd", "stored", "nodes")


def main(given: Sequence[str] | None = None) -> int:
    """Runs the rows that were asked for, all if none was. The exit status says whether every goal was met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the speed claims on this machine.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(ROWS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of product and reference in each row")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement")
    parser.add_argument("--data", type=Path, default=Path("build"), help="where data directories are made: the disk that counts")
    parser.add_argument("--quick", action="store_true", help="one short round of each row, on a hundredth of everything")
    arguments = parser.parse_args(given)
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    raise_file_limit()
    arguments.data.mkdir(parents=True, exist_ok=True)
    print(describe())
    rounds, seconds, scale = (1, 0.3, 0.01) if arguments.quick else (arguments.rounds, arguments.seconds, 1.0)
    with on_core(LOAD_CORE), tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.data) as name:
        folder = Path(name).absolute()
        met = run(arguments.rows or ROWS, Setting(folder, rounds, seconds, scale))
    return 0 if met or arguments.quick else 1


def run(rows: Sequence[str], setting: Setting) -> bool:
    """Measures and prints one row after the other. Returns whether every goal was met."""
    print(f"F = {1000 * flush_time(setting.folder):.3f} ms; medians of {setting.rounds} pairs\n\n{HEAD}", flush=True)
    met = True
    for row in rows:
        measure = importlib.import_module(f"bench.row.{row}").measure
        for result in measure(replace(setting, folder=setting.folder / row)):
            print(result.line(), flush=True)
            met = met and result.met
    return met


def raise_file_limit() -> None:
    """As many open files as the system allows: a crowd of terminals needs them, here and in the servers."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
