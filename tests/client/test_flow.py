"""The flow: without a server where its rests are looked at, with a foreign one where its manners are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import pytest

from countertop.client import (
    AnswerLost,
    BadAnswer,
    CardRead,
    ClientError,
    Ended,
    InvalidCall,
    Outcome,
    ServerFailed,
    Status,
    TooManyRequests,
    Unreachable,
)
from countertop.client.exchange import Answer, Arrival, Call, Flow, NoAnswer
from countertop.client.flow import Server, start
from countertop.testing.server import RunningServer
from tests.canary import GIFT, GIFT_STRIPE
from tests.client.caller import calling
from tests.client.wire import foreign_server

T = TypeVar("T")
REQUEST = "0193a5f0-7b6e-7c11-9d3a-2f1c5e8b9a04"
STARTED = b'{"requestId": "%b"}' % REQUEST.encode()
ACCOUNT = {"type": "CARD", "enabled": True}
LOST, REFUSED = NoAnswer("ProtocolError", True, 0.1), NoAnswer("NewConnectionError", False, 0.1)


def answer(body: bytes, status: int = 200, elapsed_s: float = 0.1, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, elapsed_s)


def status(name: str, **facts: str) -> Answer:
    more = "".join(f', "{fact}": "{value}"' for fact, value in facts.items())
    return answer(f'{{"status": "{name}"{more}}}'.encode())


def asked(idempotent: bool = True) -> Flow[Ended[Any]]:
    server = Server("https://gateway.example.com", {}, idempotent, 30.0, 0.6, bytes)
    return start(server, "88888888-4444-4444-4444-cccccccccccc", "request-read", {"terminalId": 1}, None)


def play(flow: Flow[T], *arrivals: Arrival) -> tuple[list[Call], T]:
    """Plays a server that lets these arrive. Returns the calls that were made, and the flow's result."""
    calls, script = [next(flow)], iter(arrivals)
    try:
        while True:
            calls.append(flow.send(next_of(script)))
    except StopIteration as end:
        return calls, end.value


def next_of(script: Iterator[Arrival]) -> Arrival:
    for arrival in script:
        return arrival
    raise AssertionError("the flow asks for more than there is")


def test_a_server_that_does_not_wait_is_polled_no_faster_than_it_allows() -> None:
    calls, ended = play(
        asked(),
        answer(STARTED),
        status("CONNECTING"),
        status("IN_PROGRESS"),
        answer(b'{"status": "IN_PROGRESS"}', 200, 9),
        status("COMPLETE"),
    )
    assert ended == Ended(REQUEST, Status.COMPLETE, None, None)
    assert [round(call.after_s, 3) for call in calls] == [0, 0, 0.5, 0.5, 0]  # a tenth of a second went by in the call itself
    assert calls[1].url == f"https://gateway.example.com/smartterminals/requests/{REQUEST}?wait=25"
    assert calls[1].timeout_s > 25


def test_a_lost_connection_is_tried_again_with_growing_rests_under_one_key() -> None:
    calls, ended = play(
        asked(),
        REFUSED,
        LOST,
        answer(b"", 503),
        answer(STARTED),
        LOST,
        answer(b"", 502),
        status("COMPLETE", trackData=GIFT_STRIPE),
    )
    assert ended.result == CardRead(GIFT_STRIPE, None, None)
    assert ended.outcome is Outcome.CARD_READ  # told by the result, where the server does not say
    assert [call.after_s for call in calls] == [0, 0.5, 1, 2, 0, 0.5, 1]
    assert len({call.headers["Idempotency-Key"] for call in calls[:4]}) == 1


def test_retry_after_is_honoured_up_to_the_end_of_patience() -> None:
    calls, _ = play(asked(), answer(b"", 429, retry_after="7"), answer(STARTED), status("COMPLETE"))
    assert calls[1].after_s == 7
    with pytest.raises(TooManyRequests):
        play(asked(), answer(b"", 429, retry_after="31"))
    with pytest.raises(TooManyRequests):
        play(asked(), *[answer(b"", 429)] * 20)


def test_without_idempotency_only_what_was_not_done_is_tried_again() -> None:
    calls, _ = play(asked(False), REFUSED, answer(b"", 429), answer(STARTED), LOST, status("COMPLETE"))
    assert len(calls) == 5
    with pytest.raises(AnswerLost) as caught:
        play(asked(False), LOST)
    assert caught.value.idempotency_key == "00" * 16
    with pytest.raises(ServerFailed):
        play(asked(False), answer(b"", 503))


def test_what_may_have_been_done_is_not_called_undone() -> None:
    with pytest.raises(Unreachable):
        play(asked(), *[REFUSED] * 20)
    with pytest.raises(AnswerLost):
        play(asked(), LOST, *[REFUSED] * 20)
    with pytest.raises(InvalidCall):
        play(asked(), LOST, answer(b"", 400))


@pytest.mark.parametrize(
    ("arrival", "error"),
    [
        (answer(b"<html>", 200), BadAnswer),
        (answer(b"{}", 302, location="https://elsewhere.example.com"), BadAnswer),
        (answer(b'{"status": "LUNCH"}'), BadAnswer),
        (status("COMPLETE", promptButton="Yes"), BadAnswer),
        (answer(f'{{"status": 3, "trackData": "{GIFT_STRIPE}"}}'.encode()), BadAnswer),
        (answer(f'{{"errors": [{{"message": "{GIFT} is no card"}}]}}'.encode(), 500), ServerFailed),
    ],
)
def test_an_error_while_waiting_names_the_request_and_no_digits(arrival: Answer, error: type[ClientError]) -> None:
    from countertop.client.ended import narrow

    def read() -> Flow[object]:
        return narrow((yield from asked()), CardRead)

    with pytest.raises(error) as caught:
        play(read(), answer(STARTED), arrival)
    assert GIFT not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    assert caught.value.request_id in (REQUEST, None)


FOREIGN: tuple[tuple[int, dict[str, str], Any], ...] = (
    (200, {}, {"next": "https://elsewhere.example.com/", "results": [{"terminalId": 1, "nickname": "A", **ACCOUNT}]}),
    (200, {}, {"results": [{"terminalId": 2, "nickName": "B", "surcharge": {"enabled": True, "percentage": 3.5}, **ACCOUNT}]}),
    (200, {}, {"requestId": REQUEST}),
    (200, {}, {"status": "CANCELLED"}),
    (302, {"Location": "https://elsewhere.example.com/"}, b""),
)
ASKED = [
    ("GET", "/terminals?offset=0"),
    ("GET", "/terminals?offset=1"),
    ("POST", "/smartterminals/a%2Fb/request-signature"),
    ("GET", f"/smartterminals/requests/{REQUEST}?wait=25"),
    ("POST", "/smartterminals/a%2Fb/main"),
]


def test_a_server_that_is_not_ours_is_spoken_to_as_its_documents_say(manner: str, countertop_server: RunningServer) -> None:
    options = {"release": "2023-05-16", "idempotent": False}
    with (
        foreign_server(*FOREIGN) as server,
        calling(manner, countertop_server.loop, server.url, "shöp", "p", "k", **options) as caller,
    ):
        terminals = caller.call("list_terminals")
        ended = caller.call("sign", "a/b", 1, "I agree")
        with pytest.raises(BadAnswer):
            caller.call("main", "a/b")
    assert [(one.terminal_id, one.nick_name, one.type) for one in terminals] == [(1, "A", "CARD"), (2, "B", "CARD")]
    assert str(terminals[1].surcharge.percentage) == "3.5"
    assert ended == Ended(REQUEST, Status.COMPLETE, None, None)
    assert [(method, path) for method, path, _ in server.asked] == ASKED
    assert server.asked[4][2]["content-length"] == "0"
    assert all(headers["pj-version"] == "2023-05-16" for _, _, headers in server.asked)


def test_a_server_that_is_not_there_is_unreachable(manner: str, countertop_server: RunningServer) -> None:
    with foreign_server() as server:
        url = server.url
    with (
        calling(manner, countertop_server.loop, url, "shop", "p", "k", patience_s=0) as caller,
        pytest.raises(Unreachable, match="cannot be reached"),
    ):
        caller.call("main", "x")
