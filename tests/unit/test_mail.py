"""The rules of mails: which addresses, and when again."""

from __future__ import annotations

import pytest

from countertop.domain.clock import DAY, HOUR, MINUTE
from countertop.domain.mail import GIVE_UP_AFTER, is_address, next_attempt

NOW = 1_800_000_000_000


@pytest.mark.parametrize("address", ["jane@customer.example", "j.d+till_7@a-b.example.com", f"{'j' * 116}@example.com"])
def test_mails_are_sent_to_plain_addresses(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "jane",
        "jane@localhost",
        "a,b@c.example",
        "a@b.example\n",
        "a@b.example\nBcc: c@d.example",
        '"a b"@c.example',
        "é@b.example",
        f"{'j' * 117}@example.com",
    ],
)
def test_they_are_not_sent_to_what_could_be_read_otherwise(address: str) -> None:
    assert not is_address(address)


def test_pauses_grow_and_end_after_three_days() -> None:
    assert [(next_attempt(made, NOW, NOW) or 0) - NOW for made in range(1, 7)] == [
        MINUTE,
        5 * MINUTE,
        15 * MINUTE,
        HOUR,
        HOUR,
        HOUR,
    ]
    assert GIVE_UP_AFTER == 3 * DAY
    assert next_attempt(70, NOW, NOW + GIVE_UP_AFTER - HOUR) == NOW + GIVE_UP_AFTER
    assert next_attempt(70, NOW, NOW + GIVE_UP_AFTER - HOUR + 1) is None
