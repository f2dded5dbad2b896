"""Signatures: those given for a request, and those that a point of sale captured for a transaction."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from pydantic import Field

from countertop.domain.errors import Fault, Invalid, NotReadable
from countertop.domain.result import Signed
from countertop.gateway.http.answer import PNG, Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.error import NOT_FOUND, Problem
from countertop.gateway.http.form import Form, Reader
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.payment_form import Line64
from countertop.gateway.http.route import Route
from countertop.gateway.http.transaction import body_of
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.receipt import sign_transaction
from countertop.gateway.operations.request import find_request
from countertop.gateway.operations.transaction import StoredTransaction, find_transaction
from countertop.gateway.store.unit import Unit
from countertop.gateway.wire.json import write
from countertop.gateway.wire.scriptel import START, read_scriptel
from countertop.gateway.wire.signature_image import Strokes, signature_png
from countertop.gateway.wire.strokes import read_strokes
from countertop.gateway.wire.transaction import TransactionBody

CAPTURED: Final = "API"
"""Where a captured signature comes from, in the words of a receipt."""


class CaptureForm(Form):
    """A signature that was captured elsewhere."""

    signature: Annotated[
        str,
        Field(
            max_length=200_000,
            repr=False,
            description="Strokes as JSON, each a list of points [x, y] in a field of 1000 × 400; or what a Scriptel pad types",
        ),
    ]
    name: Annotated[Line64 | None, Field(repr=False, description="Who signed")] = None


_FORM: Final = Reader(CaptureForm, "label")


class Signatures:
    """`/smartterminals/signatures` and `/transactions/{transactionId}/signature`."""

    def __init__(self, parts: ApiParts, once: Once) -> None:
        self._store = parts.store
        self._once = once

    def routes(self) -> list[Route]:
        """Both of them."""
        return [
            Route(
                "GET",
                "/smartterminals/signatures/{signatureId}/image",
                self.image,
                "Show the signature that a request gave",
                answer=bytes,
                statuses=(404,),
                media_type="image/png",
            ),
            Route(
                "POST",
                "/transactions/{transactionId}/signature/capture",
                self.capture,
                "Sign a transaction",
                answer=TransactionBody,
                form=_FORM,
                statuses=(404,),
            ),
        ]

    async def image(self, call: Call) -> Answer:
        """`GET /smartterminals/signatures/{signatureId}/image`."""
        request = await self._store.peek(find_request, call.caller.merchant_id, call.uuid())
        if not isinstance(request.result, Signed):
            raise Problem(NOT_FOUND)
        return Answer(200, await asyncio.to_thread(signature_png, request.result.strokes), PNG)

    async def capture(self, call: Call) -> Answer:
        """`POST /transactions/{transactionId}/signature/capture`."""
        number = call.number()
        values = call.form()
        form = _FORM.read(values)
        strokes = await asyncio.to_thread(_strokes, form.signature)
        return await self._once.write(
            call,
            values,
            lambda signed: Answer(200, write(body_of(call, signed))),
            _sign,
            call.caller,
            number,
            strokes,
            signed_by=form.name or "",
        )


def _sign(unit: Unit, at: Moment, caller: Caller, number: int, strokes: Strokes, *, signed_by: str) -> StoredTransaction:
    sign_transaction(unit, at, caller, number, strokes, source=CAPTURED, signed_by=signed_by)
    return find_transaction(unit, caller.merchant_id, number)


def _strokes(text: str) -> Strokes:
    """The strokes in either form. Raises Invalid."""
    try:
        strokes = read_scriptel(text) if text.startswith(START) else read_strokes(text)
    except NotReadable:
        strokes = ()
    if not strokes:
        raise Invalid([Fault("signature", "invalid", "Signature is invalid.")])
    return strokes
