"""Keystrokes of a wedge reader, put together to stripes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.terminal.readers.wedge import LONGEST, MOST, SILENCE, Wedge

GIFT = ";7090112233654321?"


def type_all(wedge: Wedge, text: str, now: int, pace: int = 2) -> list[str]:
    found = []
    for place, character in enumerate(text):
        stripe = wedge.type(character, now + place * pace)
        if stripe is not None:
            found.append(stripe)
    return found


@pytest.mark.parametrize("terminator", ["\r", "\n", "\r\n"])
def test_a_swipe_ends_at_its_terminator(terminator: str) -> None:
    wedge = Wedge()

    assert type_all(wedge, GIFT + terminator, 1_000) == [GIFT]
    assert wedge.wakes_at is None


def test_a_swipe_without_a_terminator_ends_in_silence() -> None:
    wedge = Wedge()
    assert type_all(wedge, GIFT, 1_000) == []
    last = 1_000 + 2 * (len(GIFT) - 1)
    assert wedge.wakes_at == last + SILENCE
    assert wedge.tick(last + SILENCE - 1) is None

    assert wedge.tick(last + SILENCE) == GIFT


def test_two_swipes_are_two_even_if_nobody_asked_in_between() -> None:
    wedge = Wedge()
    type_all(wedge, GIFT, 1_000)

    assert type_all(wedge, GIFT + "\r", 3_000) == [GIFT, GIFT]


def test_typing_that_takes_too_long_is_no_swipe() -> None:
    wedge = Wedge()

    assert type_all(wedge, GIFT * 2, 1_000, pace=200) == []
    assert wedge.wakes_at is not None
    assert wedge.wakes_at < 1_000 + 2 * len(GIFT) * 200 + LONGEST


def test_lost_keys_spoil_the_swipe() -> None:
    wedge = Wedge()
    type_all(wedge, GIFT[:5], 1_000)

    wedge.forget()

    assert type_all(wedge, GIFT[5:] + "\r", 1_010) == [GIFT[5:]]


@given(st.lists(st.tuples(st.characters(), st.integers(0, 400))))
def test_nothing_is_made_up_and_nothing_grows_without_end(keys: list[tuple[str, int]]) -> None:
    wedge, now, found = Wedge(), 0, ""
    for character, pause in keys:
        now += pause
        found += wedge.type(character, now) or ""
    found += wedge.tick(now + SILENCE) or ""

    typed = "".join(character for character, _ in keys)
    assert len(found) <= len(typed)
    rest = iter(typed)
    assert all(character in rest for character in found), "characters out of order"
    assert all(len(part) <= MOST + 1 for part in [found] if len(typed) <= MOST)
