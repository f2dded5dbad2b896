from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.amount import Amounts, Part
from countertop.domain.errors import NotReadable
from countertop.domain.money import format_money, parse_money, percentage_of

cents = st.integers(0, 100_000_000)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1000.00", 1000_00),
        ("1000", 1000_00),
        ("0.01", 1),
        (".99", 99),
        ("1.5", 150),
        ("0", 0),
        ("00.05", 5),
        ("1000000.00", 1_000_000_00),
    ],
)
def test_good_amounts(text: str, amount: int) -> None:
    assert parse_money(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        "$1000",
        "1,000.00",
        "1000.000",
        "-1",
        "+1",
        "1e3",
        " 1",
        "1 ",
        "1\n",
        "0x10",
        "NaN",
        "1_000",
        "١",
        "9" * 13,
        "1.0.0",
    ],
)
def test_bad_amounts(text: str) -> None:
    with pytest.raises(NotReadable, match="an amount is dollars"):
        parse_money(text)


@given(cents)
def test_what_is_printed_is_read_back(amount: int) -> None:
    assert parse_money(format_money(amount)) == amount
    assert Decimal(format_money(amount)) * 100 == amount
    assert len(format_money(amount).partition(".")[2]) == 2


@pytest.mark.parametrize(("amount", "text"), [(-150, "-1.50"), (-5, "-0.05"), (0, "0.00"), (732, "7.32")])
def test_net_amounts_may_be_negative(amount: int, text: str) -> None:
    assert format_money(amount) == text


@given(cents, st.integers(0, 100_000))
def test_a_percentage_rounds_half_a_cent_up(amount: int, rate: int) -> None:
    exact = Decimal(amount) * rate / 100_000
    assert percentage_of(amount, rate) == exact.quantize(Decimal(1), ROUND_HALF_UP)


def test_the_documented_surcharge() -> None:
    amounts = Amounts(base=1_11, tax=3_00, shipping=1_00, tip=2_00).with_surcharge(3000)
    assert amounts.surcharge == 21
    assert amounts.total == 7_32


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(Part, cents)), st.integers(0, 100_000))
def test_a_surcharge_is_not_taken_of_itself(parts: dict[Part, int], rate: int) -> None:
    amounts = Amounts(base=1).changed(parts)
    once = amounts.with_surcharge(rate)
    assert once.with_surcharge(rate) == once
    assert once.total == amounts.total - amounts.surcharge + once.surcharge


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(Part, cents)), st.fixed_dictionaries({}, optional=dict.fromkeys(Part, cents))
)
def test_parts_that_are_not_sent_are_copied(original: dict[Part, int], sent: dict[Part, int]) -> None:
    refund = Amounts(base=5_00).changed(original).changed(sent)
    assert refund.total == sum(refund.part(part) for part in Part)
    for part in Part:
        assert refund.part(part) == sent.get(part, original.get(part, 5_00 if part is Part.BASE else 0))
