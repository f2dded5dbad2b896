"""Forgetting: results a day after the end of their request, and whatever else has served its time."""

from __future__ import annotations

from countertop.domain.clock import Instant
from countertop.domain.ids import first_uuid
from countertop.domain.mail import GIVE_UP_AFTER
from countertop.domain.request import RETENTION
from countertop.gateway.operations.answer import KEPT
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import codec
from countertop.gateway.store import purge as rows
from countertop.gateway.store.unit import Unit


def purge(unit: Unit, at: Moment, limit: int) -> bool:
    """Removes what need not be kept, at most `limit` things of each sort. Returns whether there may be more.

    Gone are: requests a day after their end; events a day after they happened, unless they are still owed to somebody, with their
    deliveries and attempts; what was owed to subscriptions that are no more; remembered answers after a day; pairings that
    ran out; mails that nobody waits for any more, a day after the latest of them was given up.
    """
    most = max(
        unit.run(rows.REQUESTS, before=at.now - RETENTION, limit=limit),
        unit.run(rows.ORPHANS, limit=limit),
        _purge_events(unit, at.now - RETENTION, limit),
        unit.run(rows.ANSWERS, before=at.now - KEPT, limit=limit),
        unit.run(rows.PAIRINGS, now=at.now, limit=limit),
        unit.run(rows.MAILS, before_id=first_uuid(at.now - GIVE_UP_AFTER - RETENTION), limit=limit),
    )
    return most >= limit


def _purge_events(unit: Unit, before: Instant, limit: int) -> int:
    found = unit.all(rows.EVENTS, before_id=first_uuid(before), limit=limit)
    if not found:
        return 0
    events = codec.write_list(found)
    unit.run(rows.ATTEMPTS_OF, event_ids=events)
    unit.run(rows.DELIVERIES_OF, event_ids=events)
    return unit.run(rows.EVENTS_OF, event_ids=events)
