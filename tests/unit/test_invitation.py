"""Invitations: what we wrote is read again; anything else is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.errors import NotReadable
from countertop.domain.invitation import Invitation, read_invitation, write_invitation

KEY = bytes(range(32))
NOW = 1_800_000_000_000
OURS = Invitation("2a161ecf-65df-4964-bc4e-f92743259896", 71, NOW + 1000)


@given(st.uuids().map(str), st.integers(1, 2**63 - 1), st.integers(1, 2**40))
def test_what_was_written_is_read(merchant_id: str, number: int, seconds: int) -> None:
    invitation = Invitation(merchant_id, number, seconds * 1000)
    assert read_invitation(KEY, write_invitation(KEY, invitation), seconds * 1000 - 1) == invitation


@given(st.integers(0, 63), st.sampled_from("AZaz09-_"))
def test_a_changed_letter_spoils_it(place: int, letter: str) -> None:
    text = write_invitation(KEY, OURS)
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(NotReadable, match="nobody here"):
            read_invitation(KEY, changed, NOW)


def test_it_expires() -> None:
    text = write_invitation(KEY, OURS)
    assert read_invitation(KEY, text, NOW + 999) == OURS
    with pytest.raises(NotReadable, match="expired"):
        read_invitation(KEY, text, NOW + 1000)


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "a" * 63 + "=", "é" * 64, "a" * 63 + "\n"])
def test_what_has_not_its_form_is_none(text: str) -> None:
    with pytest.raises(NotReadable, match="form"):
        read_invitation(KEY, text, NOW)


def test_another_key_makes_another() -> None:
    with pytest.raises(NotReadable):
        read_invitation(bytes(32), write_invitation(KEY, OURS), NOW)
