"""Token buckets over time."""

from __future__ import annotations

import pytest

from countertop.gateway.bucket import Bucket


def test_a_burst_and_then_one_at_a_time() -> None:
    bucket = Bucket(rate=4, burst=3, now=100)
    assert [bucket.take(100) for _ in range(5)] == [0, 0, 0, 0.25, 0.25]  # asking in vain costs nothing
    assert bucket.take(100.25) == 0
    assert bucket.take(100.25) == 0.25
    assert [bucket.take(900) for _ in range(4)] == [0, 0, 0, 0.25]


def test_who_borrows_is_told_when_it_will_have_come() -> None:
    bucket = Bucket(rate=4, burst=3, now=100)
    assert [bucket.borrow(100) for _ in range(5)] == [0, 0, 0, 0.25, 0.5]
    assert bucket.borrow(100.5) == 0.25
    assert [bucket.borrow(900) for _ in range(4)] == [0, 0, 0, 0.25]


@pytest.mark.parametrize("later", [100, 50])
def test_a_clock_that_is_set_back_neither_fills_nor_empties_it(later: float) -> None:
    bucket = Bucket(rate=4, burst=3, now=100)
    assert [bucket.take(later) for _ in range(4)] == [0, 0, 0, 0.25]
    assert bucket.take(later + 0.25) == 0
