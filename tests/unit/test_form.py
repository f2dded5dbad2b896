"""Forms as bytes, and what they say."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlencode

from hypothesis import given
from hypothesis import strategies as st

from countertop.gateway.http.form import parse

TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("%=&+_ \t\r\n"), min_size=1)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_what_a_browser_writes_is_read(parameters: list[tuple[str, str]]) -> None:
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)
    assert parse(urlencode(parameters).encode()) == values


ESCAPED = st.text("aA_.=09", min_size=1).map(str.encode) | st.binary(min_size=1).map(
    lambda data: b"".join(b"%%%02x" % byte for byte in data)
)


@given(st.lists(ESCAPED.filter(lambda piece: b"%" not in piece or _is_text(piece)), min_size=1, max_size=8).map(b"".join))
def test_escapes_are_undone_as_others_undo_them(value: bytes) -> None:
    assert parse(b"n=" + value) == {"n": [unquote_to_bytes(value).decode()]}


def _is_text(piece: bytes) -> bool:
    try:
        bytes.fromhex(piece.replace(b"%", b"").decode()).decode()
    except UnicodeDecodeError:
        return False
    return True
