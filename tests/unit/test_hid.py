"""Reports of HID readers: the same classes as from a keyboard reader, whatever is in the bytes nobody defined."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.errors import NotReadable
from countertop.domain.screening import ReadClass, screen
from countertop.terminal.readers.hid import REPORT, parse_report


def report(*tracks: str | None, rubbish: int = 0xA5) -> bytes:
    """A reader's report; None is a track that it could not decode, "" a blank one."""
    status = bytes(1 if track is None else 0 for track in tracks)
    lengths = bytes(len(track or "") for track in tracks)
    fields = b"".join((track or "").encode().ljust(110, bytes([rubbish])) for track in tracks)
    return status + lengths + b"\x00" + fields


@pytest.mark.parametrize(
    ("tracks", "stripe", "kind"),
    [
        (("", ";7090112233654321?", ""), ";7090112233654321?", ReadClass.ACCEPT_F1),
        (
            ("%B924696827707852^?", ";924696827707852=?", ""),
            "%B924696827707852^?;924696827707852=?",
            ReadClass.ACCEPT_F2,
        ),
        ((None, ";7090112233654321?", ""), "%E?;7090112233654321?", ReadClass.BAD_READ),
        ((None, None, None), "%E?;E?+E?", ReadClass.BAD_READ),
        (("", ";7090112233654321?", None), ";7090112233654321?+E?", ReadClass.BAD_READ),
        (("", ";4111111111111111?", ""), ";4111111111111111?", ReadClass.FINANCIAL),
        (("", "", ""), "", ReadClass.UNRECOGNISED),
    ],
)
def test_a_report_is_screened_as_a_keyboard_readers_stripe(tracks: tuple[str | None, ...], stripe: str, kind: ReadClass) -> None:
    assert parse_report(report(*tracks)) == stripe
    assert screen(stripe).kind is kind


@given(st.integers(0, 255))
def test_bytes_beyond_a_tracks_length_do_not_matter(rubbish: int) -> None:
    assert parse_report(report("", ";7090112233654321?", "", rubbish=rubbish)) == ";7090112233654321?"


def test_a_track_of_the_whole_field_is_read_to_its_last_byte() -> None:
    track = "%B" + "1" * 107 + "?"
    assert parse_report(report(track, "", "")) == track


@given(st.binary(max_size=600).filter(lambda data: len(data) != REPORT))
def test_a_report_of_another_length_is_another_readers(data: bytes) -> None:
    with pytest.raises(NotReadable, match="337 bytes"):
        parse_report(data)


@given(st.binary(min_size=REPORT, max_size=REPORT))
def test_any_bytes_are_a_stripe_or_not_readable(data: bytes) -> None:
    with contextlib.suppress(NotReadable):
        assert parse_report(data).isascii()
