"""What a courier remembers of deliveries whose turn has not come."""

from __future__ import annotations

from dataclasses import replace

from countertop.domain.delivery import Delivery
from countertop.domain.releases import NEWEST
from countertop.gateway.delivery.following import KEPT, MOST, Following

FIRST = Delivery(
    event_id="event 1",
    webhook_id="hook",
    merchant_id="merchant",
    account_id=None,
    type="SMARTTERMINAL_REQUEST",
    created=0,
    release=NEWEST,
    subject_id="request",
    sequence=1,
    data={},
    result=None,
    url="https://a.example/",
    secret=None,
    attempts=0,
)
SECOND = replace(FIRST, event_id="event 2", sequence=2)


def test_the_next_of_the_same_subject_and_endpoint_is_known_once() -> None:
    following = Following()
    following.remember(SECOND, 0)
    assert following.take(replace(FIRST, subject_id="another")) is None
    assert following.take(replace(FIRST, webhook_id="another")) is None
    assert following.take(SECOND) is None
    assert following.take(FIRST) is SECOND
    assert following.take(FIRST) is None


def test_who_was_not_asked_for_in_time_is_forgotten() -> None:
    following = Following()
    following.remember(SECOND, 0)
    following.remember(replace(SECOND, sequence=3), 1)
    following.forget(KEPT - 1)
    assert len(following) == 2
    following.forget(KEPT)
    assert len(following) == 1
    assert following.take(FIRST) is None


def test_only_so_many_are_remembered_the_latest() -> None:
    following = Following()
    for number in range(MOST + 1):
        following.remember(replace(SECOND, subject_id=str(number)), 0)
    assert len(following) == MOST
    assert following.take(replace(FIRST, subject_id="0")) is None
    assert following.take(replace(FIRST, subject_id="1")) is not None
