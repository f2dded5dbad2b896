"""What was asked, what was answered, what was delivered; and the reckoning.

A life is one request of a point of sale, from its POST to the last webhook. *Acknowledged* is a life whose POST was answered with
200. What was acknowledged has to end as its customer ended it, answer polls with that end for ever after, and be told in
full and in order to the receiver. What was paid has to be in the bank's book.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.fault.bank import Bank
from bench.fault.life import Life, Payment, Read
from countertop.testing.catcher import Caught


@dataclass
class Arrivals:
    """What was delivered of one request: each event's body, status and data in the order of their first arrival."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    data: list[dict[str, Any]] = field(default_factory=list)
    again: int = 0
    changed: int = 0
    last: float = 0.0


@dataclass(frozen=True)
class Reckoning:
    """What became of all lives. `slowest` and `median` are seconds from the first attempt to POST to the last webhook.

    Of the lives so many were `payments`, and of those so many were declined because their answer was lost: `unanswered`.
    """

    lives: int
    payments: int
    unanswered: int
    lost: int
    duplicated: int
    out_of_order: int
    unexplained: int
    median: float
    slowest: float
    remarks: Counter[str]

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, out of order or unexplained. Duplicates are allowed: deliveries are made at least once."""
        return self.lost == self.out_of_order == self.unexplained == 0


class Ledger:
    """All lives of a run."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.lives: list[Life] = []
        self.arrivals: dict[str, Arrivals] = {}
        self.unsigned = 0
        self.waiting = 0
        """Terminals that wait for a decision when all lives should have ended."""

    def begin(self, paying: float = 0.0) -> Life:
        """A life that begins now; with that probability it is a payment."""
        made: type[Life] = Payment if random.random() < paying else Read
        life = made(len(self.lives), time.monotonic())
        self.lives.append(life)
        return life

    @property
    def payments(self) -> list[Payment]:
        """The acknowledged ones."""
        return [life for life in self.lives if isinstance(life, Payment) and life.acknowledged is not None]

    def caught(self, caught: Caught) -> None:
        """A webhook has come."""
        if not caught.verdict.good:
            self.unsigned += 1
        data = json.loads(caught.body)["data"]
        of_request = self.arrivals.setdefault(data["requestId"], Arrivals())
        before = of_request.bodies.get(caught.id)
        if before is None:
            of_request.bodies[caught.id] = caught.body
            of_request.statuses.append(data["status"])
            of_request.data.append(data)
            of_request.last = time.monotonic()
        else:
            of_request.again += 1
            of_request.changed += before != caught.body

    def owed(self) -> list[Life]:
        """Acknowledged lives of which the receiver has not heard the end, or not everything before it."""
        return [life for life in self.lives if life.acknowledged is not None and self._missing(life)]

    def _missing(self, life: Life) -> Counter[str]:
        return Counter(life.expected) - Counter(self._heard(life).statuses)

    def _heard(self, life: Life) -> Arrivals:
        return self.arrivals.get(life.request_id) or Arrivals()

    def reckon(self) -> Reckoning:
        """The account of everything."""
        lives = [life for life in self.lives if life.acknowledged is not None]
        remarks: Counter[str] = Counter()
        lost = [life for life in lives if self._lost(life, remarks)]
        unexplained = [life for life in lives if self._unexplained(life, remarks)]
        strangers = set(self.arrivals) - {life.request_id for life in lives}
        refused = [life for life in self.lives if life.acknowledged is None]
        remarks.update({"unknown requests delivered": len(strangers), "never acknowledged": len(refused)})
        disagreements = self.bank.audit(self.payments)
        disagreements.update({"signatures wrong": self.unsigned, "terminals left waiting": self.waiting})
        remarks.update(disagreements)
        times = sorted(self._heard(life).last - life.began for life in lives if self._heard(life).last) or [0.0]
        return Reckoning(
            lives=len(lives),
            payments=len(self.payments),
            unanswered=sum(not payment.approved for payment in self.payments),
            lost=len(lost),
            duplicated=sum(found.again for found in self.arrivals.values()),
            out_of_order=sum(_disordered(life, self._heard(life)) for life in lives),
            unexplained=len(unexplained) + len(strangers) + len(refused) + disagreements.total(),
            median=times[len(times) // 2],
            slowest=times[-1],
            remarks=+remarks,
        )

    def _lost(self, life: Life, remarks: Counter[str]) -> bool:
        if life.end is None:
            remarks["lost: never ended"] += 1
        elif str(life.end.get("status")).startswith("HTTP"):
            remarks[f"lost: polling answers {life.end['status']}"] += 1
        elif missing := self._missing(life):
            remarks[f"lost: {' and '.join(sorted(missing))} not delivered"] += 1
        elif life.later != life.end:
            remarks["lost: another end later"] += 1
        elif life.ended_well and life.result(life.end) not in map(life.result, self._heard(life).data):
            remarks["lost: delivered without its result"] += 1
        else:
            return False
        return True

    def _unexplained(self, life: Life, remarks: Counter[str]) -> bool:
        heard = self._heard(life)
        if life.end is not None and not life.ended_well:
            remarks[f"ended as {life.end.get('status')} {life.end.get('outcome', '')}".rstrip()] += 1
        elif Counter(heard.statuses) - Counter(life.expected):
            remarks["events that should not be"] += 1
        elif heard.changed:
            remarks["another body in a later attempt"] += 1
        else:
            return False
        return True


def _disordered(life: Life, heard: Arrivals) -> bool:
    places = [life.place(data) for data in heard.data]
    return places != sorted(places)
