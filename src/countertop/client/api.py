"""What both clients can do, and who they are."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from countertop.client.ended import Ended, Result, Signed, narrow
from countertop.client.exchange import Flow
from countertop.client.flow import POLL_INTERVAL_S, Form, Server, read_list, start, wait
from countertop.client.method import Method
from countertop.client.shape import Page, SmartTerminal, Terminal, Webhook, parse
from countertop.domain.ids import RandomBytes
from countertop.domain.result import ButtonPressed, CardRead, InputEntered

PATIENCE_S: Final = 30.0

_VISIBLE: Final = re.compile(r"[!-~]{1,255}")


class Api:
    """A login at a server. Every method raises ClientError (`countertop.client.errors` draws the tree).

    The four that ask something of a customer return when the request has ended, however it ended. Giving up on one of them (by a
    time-out, a cancelled task, an interrupted program) ends only the waiting; `main` ends the request. Called again with the same
    `idempotency_key` within a day, they wait for the same request instead of starting another.
    """

    def __init__(
        self,
        url: str,
        login: str,
        password: str,
        application_key: str,
        *,
        release: str | None = None,
        idempotent: bool = True,
        patience_s: float = PATIENCE_S,
        poll_interval_s: float = POLL_INTERVAL_S,
        random: RandomBytes = os.urandom,
    ) -> None:
        """`url` is the server's, without a path of the API.

        `release` is the date of the API's shapes, by default that of the key. `idempotent=False` is for a server that does not
        know idempotency keys: there a POST whose answer was lost is an AnswerLost, not sent again. `patience_s` is how long
        a call is tried again after its first failure. Raises ValueError for what cannot be sent.
        """
        headers = {
            "Authorization": _basic(login, password),
            "X-PJ-Application-Key": _visible("application key", application_key),
            "Accept": "application/json, image/png",
            "User-Agent": "countertop-client",
        }
        if release is not None:
            headers["PJ-Version"] = _visible("release", release)
        self._server = Server(_origin(url), headers, idempotent, patience_s, poll_interval_s, random)
        self._open()

    def _open(self) -> None:
        """Makes what the driver calls with."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._server.url!r})"

    @Method
    def read_card(self, smart_terminal_id: str, terminal_id: int, *, idempotency_key: str | None = None) -> Flow[Ended[CardRead]]:
        """Has a gift or membership card swiped."""
        form: Form = {"terminalId": terminal_id}
        ended = yield from start(self._server, smart_terminal_id, "request-read", form, _key(idempotency_key))
        return narrow(ended, CardRead)

    @Method
    def prompt(
        self,
        smart_terminal_id: str,
        terminal_id: int,
        text: str,
        buttons: Sequence[str],
        *,
        idempotency_key: str | None = None,
    ) -> Flow[Ended[ButtonPressed]]:
        """Shows a text with one to three buttons, each of at most eight characters; the customer presses one."""
        form: Form = {"terminalId": terminal_id, "text": text, "buttons[]": tuple(buttons)}
        ended = yield from start(self._server, smart_terminal_id, "request-prompt", form, _key(idempotency_key))
        return narrow(ended, ButtonPressed)

    @Method
    def enter_phone_number(
        self, smart_terminal_id: str, terminal_id: int, *, idempotency_key: str | None = None
    ) -> Flow[Ended[InputEntered]]:
        """Has the customer type a phone number of the US: ten digits."""
        form: Form = {"terminalId": terminal_id, "type": "PHONE"}
        ended = yield from start(self._server, smart_terminal_id, "request-input", form, _key(idempotency_key))
        return narrow(ended, InputEntered)

    @Method
    def sign(
        self, smart_terminal_id: str, terminal_id: int, terms: str, *, idempotency_key: str | None = None
    ) -> Flow[Ended[Signed]]:
        """Has the customer sign below terms."""
        form: Form = {"terminalId": terminal_id, "terms": terms}
        ended = yield from start(self._server, smart_terminal_id, "request-signature", form, _key(idempotency_key))
        return narrow(ended, Signed)

    @Method
    def wait_for(self, request_id: str) -> Flow[Ended[Result]]:
        """Waits for the end of a request of any kind, whoever started it. A day after its end it is a NotFound."""
        return (yield from wait(self._server, request_id))

    @Method
    def signature_image(self, signature_id: str) -> Flow[bytes]:
        """The picture of a signature, as PNG."""
        path = f"/smartterminals/signatures/{quote(signature_id, safe='')}/image"
        return (yield from self._server.answer(self._server.get(path))).body

    @Method
    def main(self, smart_terminal_id: str) -> Flow[None]:
        """Sends a terminal back to its idle screen; what runs on it ends without a result."""
        yield from self._server.answer(self._server.post(f"/smartterminals/{quote(smart_terminal_id, safe='')}/main", {}))

    @Method
    def list_terminals(self) -> Flow[list[Terminal]]:
        """All merchant accounts."""
        return (yield from read_list(self._server, "/terminals", Page[Terminal]))

    @Method
    def list_smart_terminals(self) -> Flow[list[SmartTerminal]]:
        """All devices."""
        return (yield from read_list(self._server, "/smartterminals", Page[SmartTerminal]))

    @Method
    def create_webhook(self, event: str, url: str, secret: str | None = None) -> Flow[Webhook]:
        """Subscribes to an event. Deliveries are signed if there is a secret."""
        form: Form = {"event": event, "url": url, "secret": secret}
        return parse(Webhook, (yield from self._server.answer(self._server.post("/webhooks", form))).body)

    @Method
    def list_webhooks(self) -> Flow[list[Webhook]]:
        """All subscriptions."""
        return (yield from read_list(self._server, "/webhooks", Page[Webhook]))

    @Method
    def change_webhook(self, webhook_id: str, *, url: str | None = None, secret: str | None = None) -> Flow[Webhook]:
        """Changes a subscription; what is None stays, an empty secret ends the signing."""
        call = self._server.write("PUT", _webhook(webhook_id), {"url": url, "secret": secret})
        return parse(Webhook, (yield from self._server.answer(call)).body)

    @Method
    def delete_webhook(self, webhook_id: str) -> Flow[None]:
        """Ends a subscription. If the first answer is lost, the second may be NotFound: then it is ended, too."""
        yield from self._server.answer(self._server.write("DELETE", _webhook(webhook_id), {}))


def _webhook(webhook_id: str) -> str:
    return f"/webhooks/{quote(webhook_id, safe='')}"


# What a header cannot hold is refused here, without repeating it: the libraries below would put it into their errors.


def _visible(name: str, text: str) -> str:
    if _VISIBLE.fullmatch(text) is None:
        raise ValueError(f"the {name} has to be 1 to 255 visible characters of ASCII")
    return text


def _key(idempotency_key: str | None) -> str | None:
    return None if idempotency_key is None else _visible("idempotency key", idempotency_key)


def _basic(login: str, password: str) -> str:
    if ":" in login:
        raise ValueError("a login has no colon in it")
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("the URL has to be http:// or https:// and a host, without credentials, query or fragment")
    return url.rstrip("/")
