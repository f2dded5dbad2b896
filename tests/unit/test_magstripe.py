from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.errors import NotReadable
from countertop.domain.magstripe import LONGEST, Sentinel, parse

track_data = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="?"), max_size=40)
swipes = st.lists(st.tuples(st.sampled_from(Sentinel), track_data), min_size=1, max_size=3)


def typed(tracks: list[tuple[Sentinel, str]]) -> str:
    return "".join(f"{sentinel}{data}?" for sentinel, data in tracks)


@given(swipes, st.sampled_from(["", "\r", "\n", "\r\n"]))
def test_tracks_come_back_as_they_were_typed(tracks: list[tuple[Sentinel, str]], terminator: str) -> None:
    stripe = parse(typed(tracks) + terminator)
    assert stripe.text == typed(tracks)
    assert [(track.sentinel, track.data) for track in stripe.tracks] == tracks


@pytest.mark.parametrize("raw", ["%E?;1?", "%B1^?;E?", ";E?", "%e?;1?", "%E?;E?+E?", ";1?+E?\r"])
def test_a_track_of_one_e_damages_the_whole_swipe(raw: str) -> None:
    assert parse(raw).damaged


@pytest.mark.parametrize("raw", [";1?", "%BE^?;1=?", ";EE?"])
def test_other_tracks_are_not_damaged(raw: str) -> None:
    assert not parse(raw).damaged


@pytest.mark.parametrize(
    "raw",
    ["", "\r", "?", ";", ";1", "1?", ";1?;", ";1?=", "A;1?", " ;1?", ";1? ", ";1?\r\r", ";1\r?", ";1\x00?", ";1\x7f?", "ö1_"],
)
def test_anything_beside_tracks_between_sentinels_is_refused(raw: str) -> None:
    with pytest.raises(NotReadable):
        parse(raw)


def test_more_than_a_card_can_hold_is_refused() -> None:
    parse(";" + "1" * (LONGEST - 2) + "?")
    with pytest.raises(NotReadable):
        parse(";" + "1" * (LONGEST - 1) + "?")


@given(st.text(alphabet="%;+?^=BE0123456789\r", max_size=60))
def test_neither_a_stripe_nor_its_error_shows_digits(raw: str) -> None:
    try:
        shown = repr(parse(raw))
    except NotReadable as error:
        shown = f"{error!r} {error}"
    assert not re.search(r"\d", shown.replace("TRACK_1", "").replace("TRACK_2", "").replace("TRACK_3", ""))
