"""The processor's host at the far end of payments, and what its book has to agree with.

It is the simulator of `countertop.testing.host`, outside the nodes as a bank is: what it holds it goes on holding, whatever
becomes of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from bench.fault.life import AMOUNTS, LEAST, Payment
from countertop.domain.money import format_money
from countertop.testing.host import HostSimulator, Quirk, State

THINK_S: Final = 0.5
UNANSWERED: Final = "91"
"""The code of a payment whose answer was lost with a node: declined, and reversed."""
CHARGED: Final = (State.HELD, State.TAKEN)
"""Money that is the merchant's: until the settlement hour it is held, then it is taken."""


class Bank:
    """The host and its book. It is there for nodes from the beginning, and answers while it is `open`.

    Every third payment it thinks over for up to `think_s` seconds, so that nodes are gone while they wait for its answer.
    """

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        key = ECKey.generate_key("P-256")
        self._listener = listener
        self._late: dict[int, Quirk] = {}
        self.host = HostSimulator(key, quirks=self._late)
        self.think_s = THINK_S
        key_file = folder / "processor.pem"
        key_file.write_bytes(key.as_pem(private=False))
        self.settings: dict[str, object] = {
            "processor_host": "127.0.0.1",
            "processor_port": listener.getsockname()[1],
            "processor_key": key_file,
            "processor_tls": False,
        }

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answers until the context is left."""
        if self.think_s:
            self._late.update(dict.fromkeys(range(LEAST, LEAST + AMOUNTS, 3), Quirk.LATE))
        await self.host.listen(self._listener)
        thinking = asyncio.create_task(self._think())
        try:
            yield
        finally:
            thinking.cancel()
            await self.host.leave()

    async def _think(self) -> None:
        while self.think_s:
            await asyncio.sleep(self.think_s)
            self.host.release_late()

    def agrees(self, payments: Iterable[Payment]) -> bool:
        """Whether it has charged what was approved and nothing else: reversals may take their time."""
        return not self.audit(payments)

    def audit(self, payments: Iterable[Payment]) -> Counter[str]:
        """What is wrong between the points of sale, the gateway and this book, and how often; empty if all agree."""
        paid, wrong = list(payments), Counter[str]()
        for payment in paid:
            wrong.update(self._faults(payment))
        known = {transaction["transactionId"] for payment in paid for transaction in payment.transactions}
        wrong["charged, and nobody knows of it"] += sum(
            booking.state in CHARGED and number not in known for number, booking in self.host.book.items()
        )
        wrong["asked more than once"] += max(0, self.host.heard["0100"] - len(self.host.book))
        charged = sum(booking.amount for booking in self.host.book.values() if booking.state in CHARGED)
        wrong["sums that differ"] += charged != sum(payment.amount for payment in paid if payment.approved)
        return +wrong

    def _faults(self, payment: Payment) -> Iterator[str]:
        if len(payment.transactions) != 1:
            yield f"payments with {len(payment.transactions)} transactions"
            return
        [transaction] = payment.transactions
        number, code = transaction["transactionId"], transaction["response"]["code"]
        if payment.end is None or payment.end.get("transactionId") != number:
            yield "payments that name another transaction"
        if transaction["amountTotal"] != format_money(payment.amount):
            yield "payments of another amount"
        if (transaction["status"] == "CAPTURE") != payment.approved:
            yield "payments whose transaction says otherwise"
        if not payment.approved and code != UNANSWERED:
            yield f"payments declined with {code}"
        booking = self.host.book.get(number)
        charged = booking is not None and booking.state in CHARGED and booking.amount == payment.amount
        if charged != payment.approved:
            yield "declined, and charged" if charged else "approved, and not charged"


@contextlib.contextmanager
def bank() -> Iterator[Bank]:
    """A bank on a port of this machine."""
    with tempfile.TemporaryDirectory(prefix="fault-bank-") as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        Path(folder).chmod(0o755)
        yield Bank(Path(folder), listener)
