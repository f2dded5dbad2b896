"""The bytes of bodies: formatting, escapes, shapes by release."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.delivery import Delivery
from countertop.domain.order import Kind
from countertop.domain.releases import NEWEST, OLDEST, SURCHARGE
from countertop.domain.request import Outcome, Status
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Result, Signed
from countertop.gateway.wire.event import event_body
from countertop.gateway.wire.instant import to_the_millisecond, to_the_second
from countertop.gateway.wire.json import write
from countertop.gateway.wire.request import started_body, status_body

ID = "49d86afd-daa5-4429-8b5f-b66c157192a8"
CARD = CardRead("%B924696827707852^?;924696827707852=?", "B924696827707852^", "924696827707852=")


def test_an_error_object_is_laid_out_as_the_vendor_lays_it_out() -> None:
    errors = [
        {"message": "This field is required.", "parameter": "terms", "type": "required"},
        {"message": "404 Not Found", "parameter": None},
    ]
    assert write({"errors": errors}) == (
        b'{\n  "errors" : [ {\n    "message" : "This field is required.",\n    "parameter" : "terms",\n'
        b'    "type" : "required"\n  }, {\n    "message" : "404 Not Found"\n  } ]\n}'
    )


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({}, b"{ }"),
        ([], b"[ ]"),
        ({"results": []}, b'{\n  "results" : [ ]\n}'),
        ({"events": ["A", "B"]}, b'{\n  "events" : [ "A", "B" ]\n}'),
        ({"a": {"b": {"c": 1}}}, b'{\n  "a" : {\n    "b" : {\n      "c" : 1\n    }\n  }\n}'),
        ({"enabled": True, "gone": None, "rate": Decimal("3.000")}, b'{\n  "enabled" : true,\n  "rate" : 3.000\n}'),
        ('"\\\n\t\x00\x1f\x7f/é€', b'"\\"\\\\\\n\\t\\u0000\\u001F\x7f/' + "é€".encode() + b'"'),
        ("\ud800", b'"?"'),
    ],
)
def test_values_are_printed_byte_for_byte(value: object, body: bytes) -> None:
    assert write(value) == body


def test_a_value_without_a_form_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="float"):
        write({"a": 1.5})


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert json.loads(write(value)) == value


def test_instants() -> None:
    assert to_the_second(1_471_889_530_756) == "2016-08-22T18:12:10Z"
    assert to_the_millisecond(1_519_158_601_756) == "2018-02-20T20:30:01.756Z"
    assert to_the_millisecond(0) == "1970-01-01T00:00:00.000Z"


def test_the_answer_to_a_start_names_the_id() -> None:
    assert started_body(Kind.READ, ID) == b'{\n  "requestId" : "%s"\n}' % ID.encode()
    assert started_body(Kind.PAYMENT, ID) == b'{\n  "requestPaymentId" : "%s"\n}' % ID.encode()


@pytest.mark.parametrize("status", Status)
def test_a_status_alone(status: Status) -> None:
    assert status_body(ID, status, None, None, NEWEST) == b'{\n  "status" : "%s"\n}' % status.encode()


@pytest.mark.parametrize(
    ("outcome", "result", "members"),
    [
        (
            Outcome.CARD_READ,
            CARD,
            {"trackData": CARD.stripe, "track1": "B924696827707852^", "track2": "924696827707852="},
        ),
        (
            Outcome.CARD_READ,
            CardRead(";7090112233654321?", None, "7090112233654321"),
            {"trackData": ";7090112233654321?", "track2": "7090112233654321"},
        ),
        (Outcome.BUTTON_PRESSED, ButtonPressed("Yes"), {"promptButton": "Yes"}),
        (Outcome.INPUT_ENTERED, InputEntered("8055551234"), {"input": "8055551234"}),
        (Outcome.SIGNED, Signed((((1, 2), (3, 4)),)), {"signatureId": ID}),
        (Outcome.CUSTOMER_CANCELLED, None, {}),
    ],
)
def test_an_ended_request_has_its_result_and_from_the_newest_release_its_outcome(
    outcome: Outcome, result: Result | None, members: dict[str, str]
) -> None:
    old = json.loads(status_body(ID, Status.COMPLETE, outcome, result, SURCHARGE))
    new = json.loads(status_body(ID, Status.COMPLETE, outcome, result, NEWEST))
    assert old == {"status": "COMPLETE", **members}
    assert list(old) == ["status", *members]
    assert new == {"status": "COMPLETE", **members, "outcome": outcome}


def _delivery(**changes: Any) -> Delivery:
    facts: dict[str, Any] = {
        "event_id": "9b5fda91-1cab-4d31-8950-0439c82e38ab",
        "webhook_id": ID,
        "merchant_id": ID,
        "account_id": None,
        "type": "SMARTTERMINAL_REQUEST",
        "created": 1_519_158_601_756,
        "release": OLDEST,
        "subject_id": ID,
        "sequence": 1,
        "data": {"status": "CONNECTING"},
        "result": None,
        "url": "https://pos.example/hook",
        "secret": None,
        "attempts": 0,
    }
    return Delivery(**(facts | changes))


def test_the_documented_sample_has_the_documented_length() -> None:
    body = event_body(_delivery(type="TRANSACTION", data={"transactionId": 313875}))
    assert len(body) == 166
    assert json.loads(body)["data"] == {"transactionId": 313875}


def test_a_request_event_carries_what_polling_would() -> None:
    assert event_body(_delivery()) == (
        b'{\n  "id" : "9b5fda91-1cab-4d31-8950-0439c82e38ab",\n  "created" : "2018-02-20T20:30:01.756Z",\n'
        b'  "type" : "SMARTTERMINAL_REQUEST",\n  "data" : {\n    "requestId" : "49d86afd-daa5-4429-8b5f-b66c157192a8",\n'
        b'    "status" : "CONNECTING"\n  }\n}'
    )
    ended = {"status": "COMPLETE", "outcome": "CARD_READ"}
    data = json.loads(event_body(_delivery(data=ended, result=CARD, release=NEWEST)))["data"]
    assert data == {
        "requestId": ID,
        "status": "COMPLETE",
        "trackData": CARD.stripe,
        "track1": CARD.track1,
        "track2": CARD.track2,
        "outcome": "CARD_READ",
    }
    assert "outcome" not in json.loads(event_body(_delivery(data=ended, result=None)))["data"]
