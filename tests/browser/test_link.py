"""The server's side of the page: its headers, its files, and what it lets a page say."""

from __future__ import annotations

import http.client
import json
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from countertop.domain.errors import NotReadable
from countertop.domain.order import ReadOrder
from countertop.terminal.screen.message import read_message
from tests.browser.stage import TERMINAL, Stage


@pytest.fixture
def link(stage: Stage) -> Generator[ClientConnection, None, None]:
    stage.run(stage.terminal.reset)
    # A stage that has seen much tells more frames than a test reads, and a client with a full queue does not read the goodbye.
    with connect(link_address(stage), origin=Origin(stage.address), max_queue=None) as opened:
        yield opened


def link_address(stage: Stage, terminal: str = TERMINAL) -> str:
    return f"{stage.address.replace('http', 'ws')}/virtual-terminal/{terminal}/link"


def hear(link: ClientConnection, part: str) -> Any:
    """The next message that has a part."""
    while True:
        said = json.loads(link.recv(timeout=5))
        if part in said:
            return said[part]


def get(stage: Stage, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(urlsplit(stage.address).netloc)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_the_page_lets_nothing_in_from_elsewhere(stage: Stage) -> None:
    answer, body = get(stage, f"/virtual-terminal/{TERMINAL}")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"//" not in body.replace(b"<!--", b"")
    assert b"style=" not in body
    assert b"onclick" not in body


def test_a_file_is_asked_for_again_but_not_sent_again(stage: Stage) -> None:
    first, body = get(stage, "/virtual-terminal/static/page.js")
    assert first.headers["Content-Type"].startswith("text/javascript")
    assert first.headers["Cache-Control"] == "no-cache"
    second, nothing = get(stage, "/virtual-terminal/static/page.js", **{"If-None-Match": first.headers["ETag"]})
    assert (first.status, second.status, len(body) > 100, nothing) == (200, 304, True, b"")


@pytest.mark.parametrize("name", ["index.html", "..%2fpage.py", "nothing.js"])
def test_only_the_pages_files_are_served(stage: Stage, name: str) -> None:
    assert get(stage, f"/virtual-terminal/static/{name}")[0].status == 404


def test_an_unknown_terminal_is_not_found(stage: Stage) -> None:
    answer, body = get(stage, "/virtual-terminal/%3Cb%3E")
    assert answer.status == 404
    assert b"<b>" not in body


@pytest.mark.parametrize("origin", [None, "null", "https://elsewhere.example", "http://127.0.0.1:1", "file://"])
def test_a_page_of_another_site_gets_no_link(stage: Stage, origin: str | None) -> None:
    with pytest.raises(InvalidStatus), connect(link_address(stage), origin=None if origin is None else Origin(origin)):
        pass


def test_a_link_to_an_unknown_terminal_is_closed(stage: Stage) -> None:
    with connect(link_address(stage, "nobody"), origin=Origin(stage.address)) as link, pytest.raises(ConnectionClosed) as closed:
        link.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_the_tray_tells_everything_about_its_cards_but_what_is_on_them(link: ClientConnection) -> None:
    cards = hear(link, "tray")
    assert [card["name"] for card in cards if "read" in card["uses"]] == ["gift", "member", "worn", "bank"]
    assert [card["name"] for card in cards if "payment" in card["uses"]] == ["credit", "empty", "chipless", "worn"]
    assert "stripe" not in json.dumps(cards)
    assert [digits for digits in ("7090", "4242", "5555", "4000", "203", "2049") if digits in json.dumps(cards)] == []


def test_a_view_carries_how_long_is_left(stage: Stage, link: ClientConnection) -> None:
    stage.run(stage.terminal.order, ReadOrder(), 60_000)
    while (view := hear(link, "view"))["screen"] != "SWIPE_CARD":
        pass
    assert (view["remaining"], view["allowed"]) == (60_000, 60_000)
    assert "deadline" not in view


def test_frames_are_logged_without_what_they_carry(stage: Stage, link: ClientConnection) -> None:
    stage.run(stage.terminal.order, ReadOrder())
    link.send(json.dumps({"card": "gift"}))
    while (frame := hear(link, "frame"))["detail"] != "CARD_READ":
        assert set(frame) == {"way", "frame", "request_id", "detail"}
    assert (frame["way"], frame["frame"]) == ("out", "finished")


ILLEGAL = [
    "",
    "null",
    "[]",
    "{}",
    "{" * 1000,
    '{"key": "BUTTON_9"}',
    '{"key": 5}',
    '{"key": "CANCEL", "stripe": ";1?"}',
    '{"stripe": 5}',
    json.dumps({"stripe": "1" * 513}),
    '{"card": "no such card"}',
    '{"card": "credit", "entry": "KEYED"}',
    '{"card": "credit", "entry": "CHIP", "number": "1"}',
    '{"signature": [[["1", 2]]]}',
    '{"signature": [[[1, 2, 3]]]}',
    '{"language": "xx"}',
    '{"view": {}}',
]


@pytest.mark.parametrize("text", ILLEGAL)
def test_an_illegal_message_closes_the_link_and_changes_nothing(stage: Stage, link: ClientConnection, text: str) -> None:
    before = stage.run(lambda: stage.terminal.machine.view)
    link.send(text)
    with pytest.raises(ConnectionClosed) as closed:
        hear(link, "nothing")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert stage.run(lambda: stage.terminal.machine.view) == before


def test_bytes_and_too_much_close_the_link(stage: Stage, link: ClientConnection) -> None:
    link.send(b"{}")
    with pytest.raises(ConnectionClosed):
        hear(link, "nothing")
    with connect(link_address(stage), origin=Origin(stage.address)) as other:
        other.send(json.dumps({"stripe": "1" * 70_000}))
        with pytest.raises(ConnectionClosed) as closed:
            hear(other, "nothing")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_the_reason_for_refusing_a_message_quotes_nothing_of_it() -> None:
    with pytest.raises(NotReadable) as refused:
        read_message('{"stripe": ";7090112233654321?", "more": 1}')
    assert "7090" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "7090" not in repr(read_message('{"stripe": ";7090112233654321?"}'))
