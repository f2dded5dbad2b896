from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.card import Brand, Entry, Expiry, PaymentCard, parse_card_number, parse_card_track, parse_cvv, parse_expiry
from countertop.domain.errors import NotReadable
from countertop.domain.luhn import check_digit, luhn_valid

VISA = "4444333322221111"
TRACK_1 = "%B4444333322221111^First/Last^1712980100000?"
TRACK_2 = ";4444333322221111=1712980100000?"


@given(st.text("0123456789", min_size=1, max_size=18), st.integers(0, 17))
def test_a_check_digit_catches_every_single_wrong_digit(body: str, place: int) -> None:
    number = body + check_digit(body)
    assert luhn_valid(number)
    place %= len(number)
    for other in set("0123456789") - {number[place]}:
        assert not luhn_valid(number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        (VISA, Brand.VISA),
        ("5105105105105100", Brand.MASTERCARD),
        ("2223003122003222", Brand.MASTERCARD),
        ("2720990000000007", Brand.MASTERCARD),
        ("2721000000000004", Brand.OTHER),
        ("378282246310005", Brand.AMERICAN_EXPRESS),
        ("6011111111111117", Brand.DISCOVER),
        ("6221260000000000", Brand.DISCOVER),
        ("6221250000000001", Brand.OTHER),
        ("6229250000000000", Brand.DISCOVER),
        ("6229260000000000", Brand.OTHER),
        ("3566002020360505", Brand.OTHER),
        ("30569309025904", Brand.OTHER),
    ],
)
def test_brand(number: str, brand: Brand) -> None:
    assert PaymentCard(number, Expiry(2030, 1), Entry.KEYED).brand is brand


def test_blanks_and_dashes_are_no_part_of_a_number() -> None:
    assert parse_card_number("4444 3333-2222 1111") == VISA


@pytest.mark.parametrize("text", ["", "4444333322221112", "444433332222111a", "0", "4" * 20, "٤" * 16, VISA + "\n"])
def test_what_is_no_card_number(text: str) -> None:
    with pytest.raises(NotReadable) as caught:
        parse_card_number(text)
    assert not re.search(r"\d{3}", str(caught.value))


@pytest.mark.parametrize(("month", "year"), [("1", "2030"), ("01", "30")])
def test_expiry(month: str, year: str) -> None:
    assert parse_expiry(month, year) == Expiry(2030, 1)


@pytest.mark.parametrize(("month", "year"), [("0", "2030"), ("13", "2030"), ("1", "1930"), ("1", "203"), ("", "2030"), ("1", "")])
def test_what_is_no_expiry(month: str, year: str) -> None:
    with pytest.raises(NotReadable):
        parse_expiry(month, year)


def test_a_card_is_good_to_the_end_of_its_month() -> None:
    expiry = Expiry(2030, 1)
    assert not expiry.expired(datetime.date(2030, 1, 31))
    assert expiry.expired(datetime.date(2030, 2, 1))
    assert str(expiry) == "01/30"


@pytest.mark.parametrize("track", [TRACK_1, TRACK_2, TRACK_1 + TRACK_2, TRACK_1.replace("44443333", "4444 3333 ")])
def test_a_payment_cards_stripe(track: str) -> None:
    card = parse_card_track(track)
    assert (card.number, card.expiry, card.entry) == (VISA, Expiry(2017, 12), Entry.SWIPE)


@pytest.mark.parametrize("track", ["", ";7090112233654321?", "%B924696827707852^?;924696827707852=?", ";4444333322221112=1712?"])
def test_what_is_no_payment_cards_stripe(track: str) -> None:
    with pytest.raises(NotReadable):
        parse_card_track(track)


@pytest.mark.parametrize("text", ["", "12", "12345", "12a"])
def test_what_is_no_verification_value(text: str) -> None:
    with pytest.raises(NotReadable):
        parse_cvv(text)


def test_equal_cards_have_equal_fingerprints_under_one_key_only() -> None:
    card, other = (PaymentCard(number, Expiry(2030, 1), Entry.KEYED) for number in (VISA, "5105105105105100"))
    again = PaymentCard(VISA, Expiry(2031, 1), Entry.CHIP)
    assert card.facts(b"key").fingerprint == again.facts(b"key").fingerprint
    assert card.facts(b"key").fingerprint != other.facts(b"key").fingerprint
    assert card.facts(b"key").fingerprint != card.facts(b"another").fingerprint


def test_no_repr_shows_a_card() -> None:
    card = PaymentCard(VISA, Expiry(2030, 1), Entry.KEYED, parse_cvv("999"))
    shown = f"{card!r} {card} {card.facts(b'key')!r}"
    assert "4444" not in shown
    assert "999" not in shown
