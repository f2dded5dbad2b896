"""What a flow and its driver say to each other.

A flow is a generator without I/O: it yields the calls to make and is sent what came of each; what it returns is the result. A
driver makes the calls, blocking or on an event loop. So everything that needs thought is written once.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, to be made after a rest of `after_s` seconds, without following redirects.

    Its answer may take `timeout_s` seconds. `repeatable`: doing it twice does no more than doing it once.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    repeatable: bool
    timeout_s: float
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, `elapsed_s` seconds after the call was begun. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """None came, and `elapsed_s` seconds were spent on it. `sent`: the server may have got the call all the same."""

    reason: str
    sent: bool
    elapsed_s: float


Arrival = Answer | NoAnswer
Flow = Generator[Call, Arrival, T]

CONNECT_S = 5.0
"""How long a driver tries to connect."""
