from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from countertop.domain.allowlist import EMPTY, Allowlist, CardRange
from countertop.domain.luhn import check_digit, luhn_valid
from countertop.domain.result import CardRead
from countertop.domain.scheme import BRANDS, FLEET, OTHERS, Rule, Scheme, find_rule
from countertop.domain.screening import ReadClass, Screened, accepts, screen

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "stripes.json").read_text(encoding="utf-8"))
RAW = [vector["raw"] for vector in VECTORS]
FINANCIAL = [vector["raw"] for vector in VECTORS if vector["expect"] == "FINANCIAL"]
ELIGIBLE = [vector["raw"] for vector in VECTORS if vector["expect"].startswith("ACCEPT")]

digits = st.text("0123456789", min_size=1, max_size=37)


def bare(number: str) -> str:
    return f";{number}?"


def framed(number: str) -> str:
    return f"%B{number}^?;{number}=?"


def first_number(prefix: str, length: int, *, sound: bool) -> str:
    """The number of `length` digits that starts with `prefix`, goes on with twos, and has a right or a wrong check digit."""
    body = prefix.ljust(length - 1, "2")
    right = check_digit(body)
    return body + (right if sound else str((int(right) + 1) % 10))


def prefixes(scheme: Scheme) -> list[str]:
    """Both ends of each of the scheme's ranges."""
    return [prefix for part in scheme.prefixes.split() for prefix in part.split("-")]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector(vector: dict[str, str]) -> None:
    screened = screen(vector["raw"])
    assert screened.kind == vector["expect"]
    assert (screened.card is not None) == vector["expect"].startswith("ACCEPT")


def test_format_1_gives_track_2() -> None:
    assert screen(";7090112233654321?\r").card == CardRead(";7090112233654321?", None, "7090112233654321")


def test_format_2_gives_both_tracks_without_sentinels() -> None:
    stripe = "%B924696827707852^?;924696827707852=?"
    assert screen(stripe).card == CardRead(stripe, "B924696827707852^", "924696827707852=")


# The number screen, row by row.


def rows(schemes: tuple[Scheme, ...]) -> list[tuple[Scheme, str, int]]:
    return [
        (scheme, prefix, length)
        for scheme in schemes
        for prefix in prefixes(scheme)
        for length in range(scheme.shortest, scheme.longest + 1)
    ]


@pytest.mark.parametrize(("scheme", "prefix", "length"), rows(BRANDS))
def test_a_brands_number_is_financial_with_and_without_a_sound_check_digit(scheme: Scheme, prefix: str, length: int) -> None:
    assert find_rule(first_number(prefix, length, sound=True)) is Rule.A1, scheme.name
    assert find_rule(first_number(prefix, length, sound=False)) is Rule.A2, scheme.name


@pytest.mark.parametrize(("scheme", "prefix", "length"), rows(OTHERS))
def test_another_schemes_number_is_financial(scheme: Scheme, prefix: str, length: int) -> None:
    assert find_rule(first_number(prefix, length, sound=True)) is not None, scheme.name
    assert (find_rule(first_number(prefix, length, sound=False)) is None) == scheme.luhn, scheme.name


@pytest.mark.parametrize(("scheme", "prefix", "length"), rows(FLEET))
def test_a_fleet_number_is_financial_whatever_its_check_digit(scheme: Scheme, prefix: str, length: int) -> None:
    for sound in (True, False):
        assert find_rule(first_number(prefix, length, sound=sound)) is not None, scheme.name


@pytest.mark.parametrize("length", [20, 25, 37])
def test_a_brands_prefix_with_too_many_digits_is_a_lost_separator(length: int) -> None:
    for scheme in BRANDS:
        for prefix in prefixes(scheme):
            assert find_rule(prefix.ljust(length, "7")) is Rule.A3
    assert find_rule("7".ljust(length, "7")) is None


@pytest.mark.parametrize(
    "number",
    ["411111111111", "55555555555", "555555555555", "2721000000000000", "2220000000000000", "3529", "4", "2206000000000000"],
)
def test_neighbours_of_the_rules_pass(number: str) -> None:
    assert find_rule(number) is None


# What must hold whatever is swiped.


def brand_number(text: str) -> bool:
    """Written apart from the code under test: does `text` begin with a whole number of a large card brand?"""
    for length in range(13, 20):
        run = text[:length]
        brand = re.match(
            r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|30[0-5]|3095|36|3[89]|35[3-8]|6011|64[4-9]|65|62|81", run
        )
        jcb = run[:4] if run.startswith("35") else None
        long_enough = length >= (13 if re.match(r"4|3[4-9]|30", run) and jcb is None else 14)
        if len(text) == length and brand and long_enough and not (jcb and not "3528" <= jcb <= "3589") and luhn_valid(run):
            return True
    return False


numbers = st.one_of(
    digits,
    st.builds(
        lambda zeros, prefix, rest: "0" * zeros + prefix + rest + check_digit(prefix + rest),
        st.integers(0, 6),
        st.sampled_from([prefix for scheme in (*BRANDS, *OTHERS, *FLEET) for prefix in prefixes(scheme)]),
        st.text("0123456789", min_size=5, max_size=18),
    ),
).filter(lambda number: len(number) <= 36)
# Opens all it can: no file may hold prefixes this short.
wide_open = Allowlist(
    1, datetime.date(2026, 12, 1), tuple(CardRange(f"{start:02d}", length) for start in range(100) for length in range(2, 38))
)


@settings(max_examples=400)
@given(numbers, st.sampled_from([bare, framed]), st.sampled_from([EMPTY, wide_open]))
@example("0" * 3 + "4111111111111111", bare, wide_open)
def test_no_output_begins_with_a_brands_number(number: str, shape: Callable[[str], str], allowlist: Allowlist) -> None:
    card = screen(shape(number), allowlist).card
    if card is not None:
        for run in re.findall(r"\d+", card.stripe):
            assert not brand_number(run)
            assert not brand_number(run.lstrip("0"))


@pytest.mark.parametrize("raw", FINANCIAL)
@given(data=st.data())
@settings(max_examples=30)
def test_mutations_of_a_financial_card_are_never_accepted(raw: str, data: st.DataObject) -> None:
    mutate = data.draw(
        st.sampled_from(
            [
                lambda text: text + "\r",
                lambda text: text + "\r\n",
                lambda text: text.lower(),
                lambda text: text.swapcase(),
                lambda text: text.replace("?", ""),
                lambda text: text[1:],
                lambda text: text.replace(";", ";0"),
                lambda text: text.replace(";", ";0000").replace("%B", "%B0000"),
                lambda text: text.replace(";", "%"),
                lambda text: text.replace(";", "+"),
                lambda text: text + ";",
                lambda text: "\r" + text,
                lambda text: text + text,
            ]
        )
    )
    assert screen(mutate(raw)).card is None


@given(st.sampled_from(FINANCIAL), st.sampled_from(RAW), st.integers(0, 80))
def test_a_swipe_cut_off_or_begun_within_another_is_never_accepted(first: str, second: str, cut: int) -> None:
    if 0 < cut < len(first):
        assert screen(first[:cut]).card is None
        assert screen(first[:cut] + second).card is None


@given(st.sampled_from(ELIGIBLE), st.sampled_from(RAW))
def test_two_swipes_without_a_terminator_between_are_never_accepted(first: str, second: str) -> None:
    if second.strip():
        assert screen(first.rstrip("\r\n") + second).card is None


@given(st.sampled_from(FINANCIAL), st.sampled_from(ELIGIBLE), st.randoms(use_true_random=False))
def test_interleaved_swipes_never_give_a_card_that_was_not_swiped(first: str, second: str, random: Random) -> None:
    left, right, mixed = list(first), list(second), []
    while left or right:
        side = left if left and (not right or random.random() < 0.5) else right
        mixed.append(side.pop(0))
    card = screen("".join(mixed)).card
    assert card is None or card.stripe in (first, second)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=300), st.text("%;+?^=BbEe01234567890\r\n ", max_size=90), digits.map(bare), digits.map(framed)))
def test_anything_gets_a_verdict_and_what_is_refused_holds_nothing(raw: str) -> None:
    screened = screen(raw)
    assert isinstance(screened, Screened)
    if screened.card is None:
        assert not screened.kind.startswith("ACCEPT")
    else:
        assert raw.startswith(screened.card.stripe)
        assert re.fullmatch(r";[0-9]+\?|%B[0-9]+\^\?;[0-9]+=\?", screened.card.stripe, re.ASCII)
    assert not re.search(r"\d{2}", repr(screened))


@given(digits)
def test_a_financial_verdict_is_the_same_value_for_every_number(number: str) -> None:
    screened = screen(bare(number))
    if screened.kind is ReadClass.FINANCIAL:
        assert screened == Screened(ReadClass.FINANCIAL)


def test_the_gateway_accepts_only_what_the_screen_would_give() -> None:
    assert accepts(CardRead(";7090112233654321?", None, "7090112233654321"))
    assert not accepts(CardRead(";7090112233654321?", None, "4111111111111111"))
    assert not accepts(CardRead(";7090112233654321?\r", None, "7090112233654321"))
    assert not accepts(CardRead(";4111111111111111?", None, "4111111111111111"))


# What an allowlist may open.


def listing(prefix: str, length: int) -> Allowlist:
    return Allowlist(1, datetime.date(2026, 12, 1), (CardRange(prefix, length),))


@pytest.mark.parametrize(
    ("number", "rule"), [("4111111111111112", Rule.A2), ("6759649826438453", Rule.B), ("70764912345100040", Rule.C)]
)
def test_an_allowlist_opens_what_it_may(number: str, rule: Rule) -> None:
    assert find_rule(number) is rule
    allowed = listing(number[:6], len(number))
    assert screen(bare(number), allowed).kind is ReadClass.ACCEPT_F1
    assert screen(framed(number), allowed).kind is ReadClass.ACCEPT_F2
    assert screen(bare(number + "7"), allowed).card is None or find_rule(number + "7") is None


@pytest.mark.parametrize(
    "number", ["4111111111111111", "378282246310005", "0004111111111111111", "41111111111111112512101000000000000"]
)
def test_no_allowlist_opens_a_brands_number_or_a_lost_separator(number: str) -> None:
    assert screen(bare(number), listing(number[:6], len(number))).kind is ReadClass.FINANCIAL


def test_in_format_2_the_allowlist_must_hold_both_numbers() -> None:
    allowed = listing("675964", 16)
    assert screen("%B6759649826438453^?;70764912345100040=?", allowed).kind is ReadClass.FINANCIAL
    assert screen("%B6759649826438453^?;7090112233654321=?", allowed).kind is ReadClass.ACCEPT_F2
