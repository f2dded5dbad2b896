"""Both clients against a real server, through one suite."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from countertop import client as package
from countertop.client import (
    ApiError,
    AsyncClient,
    AuthenticationFailed,
    ButtonPressed,
    CardRead,
    Client,
    Ended,
    InputEntered,
    InvalidCall,
    NotFound,
    Outcome,
    Result,
    Signed,
    Status,
)
from countertop.testing.server import RunningServer
from countertop.testing.terminal import VirtualTerminal
from tests.canary import GIFT, GIFT_STRIPE, PHONE
from tests.client.caller import Caller, calling
from tests.client.wire import wire_to

Act = Callable[[VirtualTerminal], object]
TEXT = "Wrap it as a gift?\nFree & nice"


ACTS = [
    ("read_card", (), "SWIPE_CARD", lambda at: at.swipe(GIFT_STRIPE), Outcome.CARD_READ, CardRead(GIFT_STRIPE, None, GIFT)),
    ("read_card", (), "SWIPE_CARD", lambda at: at.press("CANCEL"), Outcome.CUSTOMER_CANCELLED, None),
    ("prompt", (TEXT, ["Yes", "No"]), "PROMPT", lambda at: at.press("BUTTON_2"), Outcome.BUTTON_PRESSED, ButtonPressed("No")),
    ("enter_phone_number", (), "INPUT", lambda at: at.type(PHONE), Outcome.INPUT_ENTERED, InputEntered(PHONE)),
]
"""Method and its arguments, the screen, what the customer does, and what comes of it."""


@pytest.mark.parametrize(("method", "args", "screen", "act", "outcome", "result"), ACTS)
def test_what_the_customer_did_comes_back(
    caller: Caller,
    countertop_terminal: VirtualTerminal,
    method: str,
    args: tuple[Any, ...],
    *,
    screen: str,
    act: Act,
    outcome: Outcome,
    result: Result | None,
) -> None:
    asked = caller.begin(method, countertop_terminal.id, 1, *args)
    shown = countertop_terminal.until(screen)
    act(countertop_terminal)
    ended = asked.result(10)
    assert ended == Ended(str(shown.request_id), Status.COMPLETE, outcome, result)
    assert GIFT not in repr(ended)
    assert PHONE not in repr(ended)


def test_a_signature_comes_back_by_its_id(caller: Caller, countertop_terminal: VirtualTerminal) -> None:
    asked = caller.begin("sign", countertop_terminal.id, 1, "I agree.")
    countertop_terminal.until("SIGNATURE")
    countertop_terminal.sign()
    ended = asked.result(10)
    assert (ended.outcome, type(ended.result)) == (Outcome.SIGNED, Signed)
    assert caller.call("signature_image", ended.result.signature_id).startswith(b"\x89PNG")


def test_the_same_key_waits_for_the_same_request(caller: Caller, countertop_terminal: VirtualTerminal) -> None:
    key = uuid.uuid4().hex
    asked = caller.begin("read_card", countertop_terminal.id, 1, idempotency_key=key)
    countertop_terminal.until("SWIPE_CARD")
    countertop_terminal.press("CANCEL")
    assert caller.call("read_card", countertop_terminal.id, 1, idempotency_key=key) == asked.result(10)


def test_main_ends_what_runs(caller: Caller, countertop_terminal: VirtualTerminal) -> None:
    asked = caller.begin("read_card", countertop_terminal.id, 1)
    countertop_terminal.until("SWIPE_CARD")
    assert caller.call("read_card", countertop_terminal.id, 1).status is Status.BUSY
    assert caller.call("main", countertop_terminal.id) is None
    ended = asked.result(10)
    assert (ended.outcome, ended.result) == (Outcome.MERCHANT_CANCELLED, None)
    assert caller.call("wait_for", ended.request_id) == ended


def test_an_answer_that_is_lost_does_not_start_a_second_request(
    manner: str, countertop_server: RunningServer, countertop_terminal: VirtualTerminal
) -> None:
    server = countertop_server
    with wire_to(server.url, server.loop) as wire:
        wire.cuts = 2  # the answer to the POST, and that to the poll
        credentials = (wire.url, server.login, server.password, server.application_key)
        with calling(manner, server.loop, *credentials, poll_interval_s=0) as caller:
            asked = caller.begin("read_card", countertop_terminal.id, 1)
            request_id = countertop_terminal.until("SWIPE_CARD").request_id
            countertop_terminal.swipe(GIFT_STRIPE)
            ended = asked.result(10)
    assert (ended.request_id, ended.outcome) == (request_id, Outcome.CARD_READ)
    assert f'"requestId" : "{request_id}"'.encode() in wire.cut_answers[0]


def test_what_is_there_is_listed(caller: Caller, countertop_terminal: VirtualTerminal) -> None:
    terminals, devices = caller.call("list_terminals"), caller.call("list_smart_terminals")
    assert [(one.terminal_id, one.nick_name, one.enabled) for one in terminals] == [(1, "Main", True)]
    assert [(one.smart_terminal_id, one.nick_name, one.online) for one in devices] == [(countertop_terminal.id, "Counter", True)]


def test_webhooks_are_subscribed_to(caller: Caller) -> None:
    webhook = caller.call("create_webhook", "SETTLEMENT", "http://127.0.0.1:9/one", "s3cret")
    changed = caller.call("change_webhook", webhook.webhook_id, url="http://127.0.0.1:9/two")
    assert (changed.events, changed.url, changed.created) == (("SETTLEMENT",), "http://127.0.0.1:9/two", webhook.created)
    assert changed in caller.call("list_webhooks")
    caller.call("delete_webhook", webhook.webhook_id)
    with pytest.raises(NotFound):
        caller.call("delete_webhook", webhook.webhook_id)


def test_what_is_wrong_is_said_all_at_once(caller: Caller, countertop_terminal: VirtualTerminal) -> None:
    with pytest.raises(InvalidCall) as caught:
        caller.call("prompt", countertop_terminal.id, 99, "", ["Much too long"])
    assert [(fault.parameter, fault.kind) for fault in caught.value.faults] == [
        ("buttons[]", "invalid"),
        ("terminalId", "invalid"),
        ("text", "required"),
    ]
    assert caught.value.call_id


def test_a_wrong_password_is_named_and_not_repeated(manner: str, countertop_server: RunningServer) -> None:
    server = countertop_server
    with (
        calling(manner, server.loop, server.url, server.login, "wr0ng-pass", server.application_key) as caller,
        pytest.raises(AuthenticationFailed) as caught,
    ):
        caller.call("list_terminals")
    assert "wr0ng-pass" not in f"{caught.value!r} {caught.value}"
    assert isinstance(caught.value, ApiError)


def test_no_client_shows_its_credentials() -> None:
    with Client("https://gateway.example.com/", "shop", "hunter2", "the-key") as client:
        assert repr(client) == "Client('https://gateway.example.com')"
    with pytest.raises(ValueError, match="the application key has to be") as caught:
        Client("https://gateway.example.com", "shop", "hunter2", "the\nkey")
    assert "the\nkey" not in str(caught.value)
    with pytest.raises(ValueError, match="without credentials"):
        Client("https://shop:hunter2@gateway.example.com", "shop", "hunter2", "the-key")


def test_both_clients_have_the_same_methods_described() -> None:
    public = [name for name in dir(Client) if not name.startswith("_")]
    assert public == [name for name in dir(AsyncClient) if not name.startswith("_")]
    assert all(inspect.getdoc(getattr(Client, name)) for name in public)


def test_the_public_names_are_in_order_and_exist() -> None:
    assert package.__all__ == sorted(set(package.__all__))
    assert all(hasattr(package, name) for name in package.__all__)
