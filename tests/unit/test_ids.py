from __future__ import annotations

import os
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.ids import first_uuid, ordered_uuid

INSTANTS = st.integers(0, 2**48 - 1)


@given(INSTANTS, st.binary(min_size=10, max_size=10))
def test_an_id_is_a_lower_case_uuid_of_version_7(now: int, noise: bytes) -> None:
    text = ordered_uuid(now, lambda size: noise[:size])
    found = UUID(text)
    assert str(found) == text
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert found.int >> 80 == now


@given(INSTANTS, INSTANTS)
def test_ids_are_in_the_order_of_their_instants(one: int, other: int) -> None:
    if one != other:
        assert (ordered_uuid(one, os.urandom) < ordered_uuid(other, os.urandom)) == (one < other)


@given(INSTANTS)
def test_the_first_id_of_an_instant_is_before_all_its_others(now: int) -> None:
    assert first_uuid(now) <= ordered_uuid(now, os.urandom)
    assert now == 0 or ordered_uuid(now - 1, os.urandom) < first_uuid(now)


def test_ids_of_one_instant_differ() -> None:
    assert len({ordered_uuid(0, os.urandom) for _ in range(10_000)}) == 10_000
