"""Lists in pages: `offset` and `limit` in, `prev` and `next` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import Form, Reader, whole_number
from countertop.gateway.wire.json import write

MAX_LIMIT: Final = 50
MAX_OFFSET: Final = 2**31


class PageQuery(Form):
    """Which part of a list."""

    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET, description="How many to skip"), BeforeValidator(whole_number)] = 0
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most"), BeforeValidator(whole_number)] = MAX_LIMIT


PAGE: Final = Reader(PageQuery, "field", empties=True)


def page_of(call: Call) -> PageQuery:
    """Which page a call asks for. Raises Invalid."""
    return PAGE.read(call.query()) if call.exchange.query else _FIRST


def page_answer(call: Call, page: PageQuery, items: Sequence[Mapping[str, Any]]) -> Answer:
    """A page as the wire has it. `items` are those of the page and, if there are more, at least one of them."""
    limit = page.limit
    body: dict[str, object] = {}
    if page.offset > 0:
        body["prev"] = _url(call, page, max(0, page.offset - limit))
    if len(items) > limit:
        body["next"] = _url(call, page, page.offset + limit)
    body["results"] = items[:limit]
    return Answer(200, write(body))


def _url(call: Call, page: PageQuery, offset: int) -> str:
    """Another page's address: the query as it came, then `offset`, then `limit` if the caller had set it."""
    asked = call.exchange
    kept = [part for part in asked.query.decode("latin-1").split("&") if part and not part.startswith(("offset=", "limit="))]
    kept.append(f"offset={offset}")
    if "limit" in page.model_fields_set:
        kept.append(f"limit={page.limit}")
    return f"{call.origin}{asked.path}?{'&'.join(kept)}"


_FIRST: Final = PageQuery()
