"""What the customers' banks do on a test server. Behind the same login as the API."""

from __future__ import annotations

from collections.abc import Callable

from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.route import Route
from countertop.gateway.http.transaction import body_of
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.settlement import reject_transaction
from countertop.gateway.store.store import Store
from countertop.gateway.wire.json import write
from countertop.gateway.wire.transaction import TransactionBody


class Bank:
    """`/test/transactions/{transactionId}`."""

    def __init__(self, store: Store, moment: Callable[[], Moment]) -> None:
        self._store = store
        self._moment = moment

    def routes(self) -> list[Route]:
        """The one there is."""
        return [
            Route(
                "POST",
                "/test/transactions/{transactionId}/reject",
                self.reject,
                "Send a settled bank payment back",
                answer=TransactionBody,
                statuses=(404,),
            )
        ]

    async def reject(self, call: Call) -> Answer:
        """`POST …/reject`."""
        rejected = await self._store.write(reject_transaction, self._moment(), call.caller.merchant_id, call.number())
        return Answer(200, write(body_of(call, rejected)))
