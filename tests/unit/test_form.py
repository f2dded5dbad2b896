"""Forms as bytes, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar
from urllib.parse import unquote_to_bytes, urlencode

from hypothesis import given
from hypothesis import strategies as st

from countertop.gateway.http.error import Problem
from countertop.gateway.http.form import parse, parse_by_steps

T = TypeVar("T")

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


SCRAPS = st.sampled_from([b"&", b"=", b"+", b"%20", b"%C3%A9", b"%", b"%4", b"%zz", b"\xff", b"a", b"0"])


@given(st.lists(st.tuples(SCRAPS, st.sampled_from([1, 2, 3, 2_731, 8_191, 20_000])), min_size=1, max_size=6))
def test_a_long_form_is_read_by_steps_as_at_once(scraps: list[tuple[bytes, int]]) -> None:
    form = b"".join(scrap * times for scrap, times in scraps)
    assert what(lambda: outcome(parse_by_steps(form))[1]) == what(lambda: parse(form))


def test_a_step_is_short() -> None:
    text = "é" * 50_000
    steps, values = outcome(parse_by_steps(urlencode({"n": text}).encode()))
    assert values == {"n": [text]}
    assert steps > 6 * len(text) / 8192


def what(read: Callable[[], dict[str, list[str]]]) -> object:
    """The values, or what is answered in their place."""
    try:
        return read()
    except Problem as problem:
        return problem.answer


def outcome(steps: Generator[None, None, T]) -> tuple[int, T]:
    """How many steps a generator makes, and what it returns."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return count, end.value
        count += 1


def _is_text(piece: bytes) -> bool:
    try:
        bytes.fromhex(piece.replace(b"%", b"").decode()).decode()
    except UnicodeDecodeError:
        return False
    return True
