"""Settlements: the batches that an account's transactions were settled in."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import Number, Reader
from countertop.gateway.http.page import PageQuery, page_answer
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Route
from countertop.gateway.operations.settlement import StoredSettlement, find_settlement, list_settlements
from countertop.gateway.wire.json import write
from countertop.gateway.wire.page import PageBody
from countertop.gateway.wire.settlement import SettlementBody, settlement_body


class SettlementQuery(PageQuery):
    """Whose settlements, and which part of the list."""

    terminal_id: Annotated[Number | None, Field(alias="terminalId", description="Only those of this account")] = None


_QUERY: Final = Reader(SettlementQuery, "label")


class Settlements:
    """`/settlements`."""

    def __init__(self, parts: ApiParts) -> None:
        self._store = parts.store

    def routes(self) -> list[Route]:
        """Both of them."""
        return [
            Route("GET", "/settlements", self.list_all, "List settlements", answer=PageBody[SettlementBody], query=_QUERY),
            Route("GET", "/settlements/{settlementId}", self.show, "Show a settlement", answer=SettlementBody, statuses=(404,)),
        ]

    async def list_all(self, call: Call) -> Answer:
        """`GET /settlements`."""
        query = _QUERY.read(call.query())
        found = await self._store.read(
            list_settlements, call.caller.merchant_id, query.offset, query.limit + 1, query.terminal_id
        )
        return page_answer(call, query, [_body(settlement) for settlement in found])

    async def show(self, call: Call) -> Answer:
        """`GET /settlements/{settlementId}`."""
        return Answer(200, write(_body(await self._store.peek(find_settlement, call.caller.merchant_id, call.number()))))


def _body(settlement: StoredSettlement) -> SettlementBody:
    return settlement_body(
        settlement.id,
        settlement.terminal_id,
        settlement.created,
        settlement.net,
        settlement.breakdown,
        pending=settlement.pending,
    )
