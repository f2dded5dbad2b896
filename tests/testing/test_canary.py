"""The search for canaries finds them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.canary import BANK, GIFT, GIFT_STRIPE, findings

ROOT: Final = Path(__file__).parents[2]
LEAK: Final = """
from tests.canary import GIFT, watch

def test_that_leaves_digits(tmp_path):
    (watch(tmp_path) / "log").write_text(GIFT)
"""


def test_a_canary_at_rest_is_found_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "rows").write_bytes(b"\0\1" + GIFT_STRIPE.encode() + b"\xff")
    (tmp_path / "log").write_text(f"charged {BANK}")
    (tmp_path / "quiet").write_text("nothing")
    assert len(list(findings({tmp_path}))) == 2


def test_a_finding_does_not_repeat_the_digits(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(BANK)
    assert BANK not in "".join(findings({tmp_path / "log"}))


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_session_that_leaves_digits_fails_in_however_many_processes(processes: str, tmp_path: Path) -> None:
    (tmp_path / "test_leak.py").write_text(LEAK)
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-n", processes, "-p", "tests.canary", "--rootdir", str(tmp_path)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "1 passed" in done.stdout, "holds canary 0" in done.stdout) == (1, True, True), done.stdout
    assert GIFT not in done.stdout
