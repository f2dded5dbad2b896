from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.errors import NotReadable
from countertop.domain.releases import BUSY, KEYED_ENTRY, NEWEST, OLDEST, RELEASES, SURCHARGE, TERMINAL_ACCOUNTS, release_at


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1999-12-31", OLDEST),
        ("2018-05-31", OLDEST),
        ("2018-06-01", TERMINAL_ACCOUNTS),
        ("2018-06-18", TERMINAL_ACCOUNTS),
        ("2018-06-19", BUSY),
        ("2020-01-01", KEYED_ENTRY),
        ("2026-11-30", SURCHARGE),
        ("2026-12-01", NEWEST),
        ("9999-12-31", NEWEST),
    ],
)
def test_a_date_between_two_releases_means_the_earlier(text: str, release: str) -> None:
    assert release_at(text) == release


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_a_release_is_never_later_than_its_date(date: datetime.date) -> None:
    release = release_at(date.isoformat())
    assert release <= date.isoformat()
    assert release == OLDEST or release in RELEASES
    assert all(other <= release or other > date.isoformat() for other in RELEASES)


@pytest.mark.parametrize(
    "text", ["", "2018", "20180619", "2018-6-19", "2018-02-30", "19.06.2018", "2018-06-19T00:00", "2018-W25-2", "２０１８-06-19"]
)
def test_anything_else_is_not_readable(text: str) -> None:
    with pytest.raises(NotReadable):
        release_at(text)


def test_releases_are_in_order() -> None:
    assert list(RELEASES) == sorted(RELEASES)
