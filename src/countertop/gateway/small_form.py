"""Short forms, for the doors that are not the API: a handful of fields, none of them twice."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from countertop.domain.errors import NotReadable

MAX_BYTES: Final = 4 * 1024
MAX_FIELDS: Final = 16
FORM: Final = "application/x-www-form-urlencoded"


async def read_small_form(request: Request, most_bytes: int = MAX_BYTES) -> dict[str, str]:
    """The fields of a form. Raises NotReadable if the body is no form, too long, or has a field twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise NotReadable("send a form")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > most_bytes:
                raise NotReadable("the form is too long")
    except ClientDisconnect:
        raise NotReadable("the form did not arrive") from None
    return parse_small_form(bytes(body))


def parse_small_form(body: bytes) -> dict[str, str]:
    """The fields in a form's bytes. Raises NotReadable as `read_small_form` does."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise NotReadable("the form is broken") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotReadable("a field is there twice")
    return fields
