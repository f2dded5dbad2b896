"""Terminals (merchant accounts) and the merchant itself."""

from __future__ import annotations

from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.page import PAGE, page_answer, page_of
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Route
from countertop.gateway.operations.terminal import find_merchant, list_terminals
from countertop.gateway.wire.merchant import MerchantBody, merchant_body
from countertop.gateway.wire.page import PageBody
from countertop.gateway.wire.terminal import TerminalBody, terminal_body


class Terminals:
    """`/terminals` and `/merchants`."""

    def __init__(self, parts: ApiParts) -> None:
        self._store = parts.store

    def routes(self) -> list[Route]:
        """Both of them."""
        return [
            Route("GET", "/terminals", self.list_all, "List merchant accounts", answer=PageBody[TerminalBody], query=PAGE),
            Route("GET", "/merchants", self.merchants, "Show the merchant", answer=PageBody[MerchantBody], query=PAGE),
        ]

    async def list_all(self, call: Call) -> Answer:
        """`GET /terminals`."""
        page = page_of(call)
        caller = call.caller
        found = await self._store.peek(list_terminals, caller.merchant_id, page.offset, page.limit + 1)
        return page_answer(
            call,
            page,
            [
                terminal_body(
                    caller.release,
                    terminal_id=terminal.terminal_id,
                    account_id=terminal.account_id,
                    company_legal=terminal.company_legal,
                    company_dba=terminal.company_dba,
                    merchant_number=terminal.merchant_number,
                    nick_name=terminal.nick_name,
                    type=terminal.type,
                    enabled=terminal.enabled,
                    surcharge_rate=terminal.surcharge_rate,
                )
                for terminal in found
            ],
        )

    async def merchants(self, call: Call) -> Answer:
        """`GET /merchants`: a list like the others, though a login belongs to one merchant only."""
        page = page_of(call)
        merchant = await self._store.peek(find_merchant, call.caller.merchant_id)
        items = [merchant_body(merchant.id, merchant.name)]
        return page_answer(call, page, items[page.offset :])
