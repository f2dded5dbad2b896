"""The search for canaries finds them."""

from __future__ import annotations

from pathlib import Path

from tests.canary import BANK, GIFT_STRIPE, findings


def test_a_canary_at_rest_is_found_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "rows").write_bytes(b"\0\1" + GIFT_STRIPE.encode() + b"\xff")
    (tmp_path / "log").write_text(f"charged {BANK}")
    (tmp_path / "quiet").write_text("nothing")
    assert len(list(findings({tmp_path}))) == 2


def test_a_finding_does_not_repeat_the_digits(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(BANK)
    assert BANK not in "".join(findings({tmp_path / "log"}))
