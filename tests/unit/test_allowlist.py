from __future__ import annotations

import base64
import datetime
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.allowlist import EMPTY, CardRange, open_allowlist, parse_allowlist, replace_allowlist, sign_allowlist
from countertop.domain.errors import NotReadable

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LIST = b"""
version = 3
date = 2026-12-01

[[range]]
prefix = "603571"
length = 16

[[range]]
prefix = "50224412"
length = 19
"""


def listing(text: str) -> bytes:
    return f"version = 1\ndate = 2026-12-01\n{text}".encode()


def test_a_signed_list_opens() -> None:
    issued = open_allowlist(LIST, sign_allowlist(LIST, KEY), KEY.public_key())
    assert issued.version == 3
    assert issued.date == datetime.date(2026, 12, 1)
    assert issued.ranges == (CardRange("603571", 16), CardRange("50224412", 19))


def test_a_range_is_a_prefix_and_an_exact_length() -> None:
    issued = parse_allowlist(LIST)
    assert issued.holds("6035710000000000")
    assert not issued.holds("60357100000000000")
    assert not issued.holds("6035720000000000")
    assert not EMPTY.holds("6035710000000000")


@given(st.integers(0, len(LIST) - 1), st.integers(1, 255))
def test_a_list_changed_in_any_byte_does_not_open(place: int, change: int) -> None:
    changed = bytearray(LIST)
    changed[place] ^= change
    with pytest.raises(NotReadable, match="not signed by the key"):
        open_allowlist(bytes(changed), sign_allowlist(LIST, KEY), KEY.public_key())


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"!!",
        base64.b64encode(bytes(64)),
        base64.b64encode(bytes(10)),
        base64.b64encode(Ed25519PrivateKey.generate().sign(LIST)),
    ],
    ids=["none", "not base64", "zeros", "too short", "another key"],
)
def test_another_signature_does_not_open_it(signature: bytes) -> None:
    with pytest.raises(NotReadable, match="not signed by the key"):
        open_allowlist(LIST, signature, KEY.public_key())


def test_an_issue_replaces_the_list_as_a_whole() -> None:
    first = replace_allowlist(EMPTY, parse_allowlist(listing('[[range]]\nprefix = "603571"\nlength = 16')))
    second = replace_allowlist(first, parse_allowlist(LIST.replace(b"603571", b"603572")))
    assert not second.holds("6035710000000000")
    for older in (first, second):
        with pytest.raises(NotReadable, match="not newer"):
            replace_allowlist(second, older)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff", "not TOML"),
        (b"version = ", "not TOML"),
        (b"", "version must be a whole number"),
        (b"version = true\ndate = 2026-12-01", "version must be a whole number"),
        (b"version = 0\ndate = 2026-12-01", "version must be a whole number"),
        (b"version = 1", "date must be a date"),
        (b'version = 1\ndate = "2026-12-01"', "date must be a date"),
        (b"version = 1\ndate = 2026-12-01T00:00:00Z", "date must be a date"),
        (listing("merge = true"), "and nothing else"),
        (listing("range = 1"), r"written as \[\[range\]\]"),
        (listing("range = [1]"), "range number 1 must have a prefix and a length"),
        (listing('[[range]]\nprefix = "603571"'), "range number 1 must have a prefix and a length"),
        (listing("[[range]]\nprefix = 603571\nlength = 16"), "at least six digits, in quotes"),
        (listing('[[range]]\nprefix = "60357"\nlength = 16'), "at least six digits, in quotes"),
        (listing('[[range]]\nprefix = "60357x"\nlength = 16'), "at least six digits, in quotes"),
        (listing('[[range]]\nprefix = "٦٠٣٥٧١"\nlength = 16'), "at least six digits, in quotes"),
        (listing('[[range]]\nprefix = "603571"\nlength = 5'), "length of the whole number"),
        (listing('[[range]]\nprefix = "603571"\nlength = "16"'), "length of the whole number"),
        (listing('[[range]]\nprefix = "603571"\nlength = 75'), "length of the whole number"),
        (listing('[[range]]\nprefix = "603571"\nlength = 16\n' * 2), "same range twice"),
        (b"#" * 70_000, "larger than 64 KiB"),
    ],
)
def test_a_list_that_is_none_says_why_without_its_digits(data: bytes, reason: str) -> None:
    with pytest.raises(NotReadable, match=reason) as caught:
        parse_allowlist(data)
    assert "6035" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_repr_shows_a_prefix() -> None:
    assert not re.search("6035|502244", repr(parse_allowlist(LIST)) + repr(parse_allowlist(LIST).ranges))
