"""Webhook subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from countertop.domain.errors import Fault, Invalid
from countertop.domain.webhook import MAX_SECRET, MAX_URL
from countertop.gateway.http.answer import NO_CONTENT, Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import LINE, Form, Reader, Values
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.page import PAGE, page_answer, page_of
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Route
from countertop.gateway.operations.webhook import (
    Webhook,
    change_webhook,
    create_webhook,
    delete_webhook,
    list_webhooks,
)
from countertop.gateway.wire.json import write
from countertop.gateway.wire.page import PageBody
from countertop.gateway.wire.webhook import WebhookBody, webhook_body

Event = Literal["SMARTTERMINAL_REQUEST", "TRANSACTION", "TRANSACTION_SIGNATURE", "CUSTOMER", "DEPOSIT", "SETTLEMENT"]
SeededEvent = Event | Literal["SMARTTERMINAL_TRANSACTION"]
"""What a seed file may subscribe to: also the event that the vendor takes no new subscriptions to, and still sends."""
_PUBLIC_URL: Final = r"^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(/[!$-\[\]-~]*)?$"
"""What the description promises to take. What is taken is a little more, and for `url_fault` to say."""
Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL),
    Field(
        json_schema_extra={"pattern": _PUBLIC_URL},
        description="HTTPS, without a port, on a public address; a test server takes any URL on the loopback interface, too",
    ),
]
Secret = Annotated[
    Annotated[str, StringConstraints(max_length=MAX_SECRET, pattern=LINE)] | None,
    Field(description="Signs the deliveries; empty: they are not signed"),
]


class WebhookForm(Form):
    """A new subscription."""

    event: Annotated[Event, Field(description="What is to be told")]
    url: Url
    secret: Secret = None


class WebhookChange(Form):
    """What is to change; what is left out stays."""

    url: Url | None = None
    secret: Secret = None


_FORM: Final = Reader(WebhookForm, "label")
_CHANGE: Final = Reader(WebhookChange, "label", empties=True)


class Webhooks:
    """`/webhooks`."""

    def __init__(self, parts: ApiParts, once: Once) -> None:
        self._parts = parts
        self._once = once

    def routes(self) -> list[Route]:
        """All of them."""
        one = "/webhooks/{webhookId}"
        return [
            Route("GET", "/webhooks", self.list_all, "List webhooks", answer=PageBody[WebhookBody], query=PAGE),
            Route("POST", "/webhooks", self.create, "Subscribe to an event", answer=WebhookBody, form=_FORM, statuses=(403,)),
            Route("PUT", one, self.change, "Change a webhook", answer=WebhookBody, form=_CHANGE, statuses=(404,)),
            Route("DELETE", one, self.delete, "End a subscription", statuses=(404,)),
        ]

    async def list_all(self, call: Call) -> Answer:
        """`GET /webhooks`."""
        page = page_of(call)
        found = await self._parts.store.peek(list_webhooks, call.caller.merchant_id, page.offset, page.limit + 1)
        return page_answer(call, page, [_body(webhook) for webhook in found])

    async def create(self, call: Call) -> Answer:
        """`POST /webhooks`."""
        values = call.form()
        form, faults = _FORM.examine(values)
        faults += await self._url_faults(values, faults)
        if form is None or faults:
            raise Invalid(faults)
        return await self._once.write(
            call,
            values,
            _answer,
            create_webhook,
            call.caller,
            form.event,
            form.url,
            form.secret,
        )

    async def change(self, call: Call) -> Answer:
        """`PUT /webhooks/{webhookId}`."""
        webhook_id = call.uuid()
        values = call.form()
        form, faults = _CHANGE.examine(values)
        faults += await self._url_faults(values, faults)
        if form is None or faults:
            raise Invalid(faults)
        return _answer(
            await self._parts.store.write(change_webhook, self._parts.moment(), call.caller, webhook_id, form.url, form.secret)
        )

    async def delete(self, call: Call) -> Answer:
        """`DELETE /webhooks/{webhookId}`."""
        await self._parts.store.write(delete_webhook, self._parts.moment(), call.caller, call.uuid())
        return NO_CONTENT

    async def _url_faults(self, values: Values, faults: Sequence[Fault]) -> list[Fault]:
        """What is wrong with where the URL leads, if nothing else is wrong with it."""
        sent = values.get("url", ("",))[0]
        if not sent or any(fault.parameter == "url" for fault in faults):
            return []
        message = await self._parts.check_url(sent)
        return [] if message is None else [Fault("url", "invalid", message)]


def _answer(webhook: Webhook) -> Answer:
    return Answer(200, write(_body(webhook)))


def _body(webhook: Webhook) -> WebhookBody:
    return webhook_body(webhook.id, webhook.event, webhook.url, webhook.created)
