"""What the API is put together from. Assembly fills it in."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from countertop.domain.clock import Clock
from countertop.domain.ids import RandomBytes
from countertop.gateway.bus.port import Bus
from countertop.gateway.http.route import Route
from countertop.gateway.operations.moment import Moment
from countertop.gateway.password import PasswordCheck
from countertop.gateway.processors.acquirer import Acquirer
from countertop.gateway.store.store import Store

UrlCheck = Callable[[str], Awaitable[str | None]]
"""What is wrong with a webhook's URL, in words for the caller; None if nothing is. May look the host's name up."""

Observe = Callable[[Route, str, int, float], None]
"""Is told of every answer: its route (that of no resource has an empty path), the method, the status, and the seconds it took.

The method is one of a route's, or `OTHER`: nothing a client can make up.
"""


SendMail = Callable[[str], Awaitable[None]]
"""Sends a mail that is on record, by its id, and returns when that was tried once. Raises Unavailable if the store is."""


@dataclass(frozen=True, slots=True)
class ApiParts:
    """Everything the API needs. Durations are milliseconds; `rate` is requests a second for each login, `burst` so many at once.

    Without an `acquirer` nobody takes payments, without `send_mail` nobody mails receipts, which show the time of the `zone`.
    `more_routes` are resources beyond the API's own, behind the same login: a test server's paths.
    """

    store: Store
    clock: Clock
    bus: Bus
    random: RandomBytes
    node_id: str
    passwords: PasswordCheck
    check_url: UrlCheck
    connect_deadline: int
    request_deadline: int
    poll_interval: int
    rate: float
    burst: float
    observe: Observe | None = None
    more_routes: Sequence[Route] = ()
    acquirer: Acquirer | None = None
    send_mail: SendMail | None = None
    zone: datetime.tzinfo = datetime.UTC

    def moment(self) -> Moment:
        """Here and now."""
        return Moment(self.clock.now(), self.random, self.node_id)
