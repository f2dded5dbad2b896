"""Receipts: what a customer signed, on paper and by mail."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from countertop.domain.mail import ADDRESS, MAX_ADDRESS
from countertop.gateway.http.answer import HTML, NO_CONTENT, PNG, Answer, Header, page_headers
from countertop.gateway.http.call import Call
from countertop.gateway.http.error import NOT_FOUND, Problem, failure
from countertop.gateway.http.form import Boolean, Form, Reader
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.page import PAGE, page_answer, page_of
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Handler, Route
from countertop.gateway.http.transaction import transaction_uri
from countertop.gateway.operations.mail import order_mail
from countertop.gateway.operations.paper import LATEST, UNSIGNED, Paper, find_paper
from countertop.gateway.operations.receipt import Signature, list_signatures
from countertop.gateway.operations.transaction import StoredTransaction, find_transaction
from countertop.gateway.paper.page import Layout, Receipt, receipt_of, receipt_page, style
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.wire.json import write
from countertop.gateway.wire.page import PageBody
from countertop.gateway.wire.receipt import ReceiptBody, receipt_body, signature_body
from countertop.gateway.wire.signature_image import signature_png

NO_MAIL: Final = failure(400, "This server sends no mail: SMTP_URL is not set.")
FIRST_TRY_S: Final = 10.0
"""How long an answer waits for the first attempt to send a mail."""

Address = Annotated[str, StringConstraints(max_length=MAX_ADDRESS, pattern=ADDRESS)]

Choose = Callable[[Call], str]
"""Which receipt a call is about: a signed one by its id, `UNSIGNED`, or `LATEST`: the newest signed one, if there is one."""


class EmailForm(Form):
    """Where a receipt goes."""

    to: Annotated[Address, Field(repr=False)]
    reply_to: Annotated[Address, Field(alias="replyTo", repr=False)]
    request_signature: Annotated[
        Boolean, Field(alias="requestSignature", description="Asks for a signature, if nobody has signed yet")
    ] = True


_EMAIL: Final = Reader(EmailForm, "label")


class Receipts:
    """`/transactions/{transactionId}/receipts`."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._store = parts.store
        self._once = Once(parts)

    def routes(self) -> list[Route]:
        """All of them."""
        every = "/transactions/{transactionId}/receipts"
        return [
            Route("GET", every, self.list_all, "List signed receipts", answer=PageBody[ReceiptBody], query=PAGE, statuses=(404,)),
            *self._receipt(f"{every}/latest", lambda _: LATEST, "the latest receipt"),
            *self._receipt(f"{every}/unsigned", lambda _: UNSIGNED, "the receipt without a signature"),
            *self._receipt(f"{every}/{{receiptId}}", lambda call: call.uuid(1), "a signed receipt"),
            Route(
                "POST",
                f"{every}/latest/email",
                self.email,
                "Send the latest receipt by mail",
                form=_EMAIL,
                statuses=(404,),
            ),
        ]

    def _receipt(self, path: str, which: Choose, name: str) -> list[Route]:
        def route(part: str, handle: Handler, summary: str, answer: type, media_type: str) -> Route:
            return Route("GET", f"{path}{part}", handle, summary, answer=answer, statuses=(404,), media_type=media_type)

        routes = [
            route("", self._shows(which), f"Show {name}", ReceiptBody, "application/json"),
            route("/thermal", self._prints(which, "thermal"), f"Print {name} on a roll", str, "text/html"),
            route("/fullpage", self._prints(which, "fullpage"), f"Print {name} on a sheet", str, "text/html"),
        ]
        if not path.endswith(UNSIGNED):
            routes.append(route("/signature", self._draws(which), f"Show the signature on {name}", bytes, "image/png"))
        return routes

    async def list_all(self, call: Call) -> Answer:
        """`GET …/receipts`."""
        page = page_of(call)
        merchant_id, number = call.caller.merchant_id, call.number()
        transaction = await self._store.peek(find_transaction, merchant_id, number)
        signatures = await self._store.peek(list_signatures, merchant_id, number)
        wanted = signatures[page.offset : page.offset + page.limit + 1]
        return page_answer(call, page, [_body(call, transaction, signature, signature.id) for signature in wanted])

    async def email(self, call: Call) -> Answer:
        """`POST …/receipts/latest/email`: 204 once the mail is on record. Mostly it is sent by then; else it is tried again."""
        send_mail = self._parts.send_mail
        if send_mail is None:
            raise Problem(NO_MAIL)
        values = call.form()
        form = _EMAIL.read(values)
        wanted = (call.number(), form.to, form.reply_to, form.request_signature)
        ordered = await self._once.write(call, values, _remembered, order_mail, call.caller, *wanted)
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(FIRST_TRY_S):
                await send_mail(ordered.body.decode())
        return NO_CONTENT

    def _shows(self, which: Choose) -> Handler:
        async def show(call: Call) -> Answer:
            wanted = which(call)
            found = await self._find(call, wanted)
            return Answer(200, write(_body(call, found.transaction, found.signature, wanted)))

        return show

    def _prints(self, which: Choose, layout: Layout) -> Handler:
        async def show(call: Call) -> Answer:
            receipt = await self._receipt_of(await self._find(call, which(call)))
            return Answer(200, receipt_page(receipt, layout).encode(), HTML, _headers(layout))

        return show

    def _draws(self, which: Choose) -> Handler:
        async def show(call: Call) -> Answer:
            found = await self._find(call, which(call))
            if found.signature is None:
                raise Problem(NOT_FOUND)
            return Answer(200, await asyncio.to_thread(signature_png, found.signature.strokes), PNG)

        return show

    async def _find(self, call: Call, which: str) -> Paper:
        return await self._store.peek(find_paper, call.caller.merchant_id, call.number(), which)

    async def _receipt_of(self, paper: Paper) -> Receipt:
        return await asyncio.to_thread(receipt_of, paper, self._parts.zone)


@cache
def _headers(layout: Layout) -> tuple[Header, ...]:
    digest = b64encode(hashlib.sha256(style(layout).encode()).digest()).decode()
    return page_headers(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'")


def _remembered(mail_id: str) -> Answer:
    """What is kept under an `Idempotency-Key`: which mail it ordered."""
    return Answer(200, mail_id.encode())


def _body(call: Call, transaction: StoredTransaction, signature: Signature | None, which: str) -> ReceiptBody:
    rules = transaction.rules
    every = f"{transaction_uri(call, rules.id)}/receipts"
    uri = f"{every}/{which}"
    return receipt_body(
        uri,
        email_uri=f"{every}/{LATEST}/email",
        total=rules.amounts.total if signature is None else signature.total,
        created=rules.created if signature is None else signature.created,
        modified=rules.modified if signature is None else signature.created,
        signature=None
        if signature is None
        else signature_body(
            uri,
            signed=signature.created,
            source=signature.source,
            signed_by=signature.signed_by,
            address=signature.address,
        ),
        up_to_date=signature is not None and signature.total == rules.amounts.total,
    )
