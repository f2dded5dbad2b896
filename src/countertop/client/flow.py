"""How a client speaks with a server, without I/O: what is asked again and when, how a request is waited for, how lists are read.

A call is asked again as long as the client's patience lasts, counted from its first failure,

* if it was not sent at all, or the server said "later" (429): then nothing has been done;
* if its answer was lost or a server on the way failed (502, 503, 504), and doing it twice does no more than doing it once: GET,
  PUT and DELETE, and a POST under an idempotency key on a server that knows those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from countertop.client.ended import Ended, Result, read_end
from countertop.client.errors import AnswerLost, BadAnswer, ClientError, Unreachable, api_error
from countertop.client.exchange import Answer, Arrival, Call, Flow, NoAnswer
from countertop.client.shape import ErrorBody, Page, StartedBody, StatusBody, parse
from countertop.domain.ids import RandomBytes

T = TypeVar("T")
Form = Mapping[str, str | int | Sequence[str] | None]

ANSWER_S: Final = 15.0
"""How long an answer may take."""
WAIT_S: Final = 25
"""How long a poll asks the server to wait for news. Less than the half minute after which many a proxy gives up."""
POLL_INTERVAL_S: Final = 0.6
"""From one poll of a request to the next. Servers allow one in half a second, and the way to them is not always equally long."""

_FIRST_REST_S: Final = 0.5
_LONGEST_REST_S: Final = 8.0
_SECONDS: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_LATER: Final = 429
_ON_THE_WAY: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Server:
    """A server as flows know it. `idempotent`: it knows idempotency keys."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    idempotent: bool
    patience_s: float
    poll_interval_s: float
    random: RandomBytes

    def get(self, path: str, wait_s: float = 0.0) -> Call:
        """A GET that may be answered `wait_s` seconds later than others."""
        return Call("GET", self.url + path, self.headers, None, repeatable=True, timeout_s=ANSWER_S + wait_s)

    def post(self, path: str, form: Form, idempotency_key: str | None = None) -> Call:
        """A POST that is done once, however often it is sent: if the server knows idempotency keys."""
        key = idempotency_key or self.random(16).hex()
        return replace(self.write("POST", path, form, {"Idempotency-Key": key}), repeatable=self.idempotent)

    def write(self, method: str, path: str, form: Form, headers: Mapping[str, str] | None = None) -> Call:
        """A call with a form; what is None in it is left out."""
        body = urlencode({name: value for name, value in form.items() if value is not None}, doseq=True).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        return Call(method, self.url + path, {**self.headers, **kind, **(headers or {})}, body or None, True, ANSWER_S)

    def answer(self, call: Call) -> Flow[Answer]:
        """The successful answer to a call. Raises ClientError."""
        spent, lost, attempt = 0.0, False, 0
        while True:
            arrival = yield call
            if isinstance(arrival, Answer) and arrival.status < 300:
                return arrival
            lost |= isinstance(arrival, NoAnswer) and arrival.sent
            spent += arrival.elapsed_s if attempt else 0.0
            rest = self._rest(call, arrival, attempt)
            if rest is None or spent + rest > self.patience_s:
                # Refused for good is an answer to the first copy, too; otherwise nobody knows what became of that one.
                raise _failure(call, arrival, lost=lost and rest is not None)
            spent, attempt = spent + rest, attempt + 1
            call = replace(call, after_s=rest)

    def _rest(self, call: Call, arrival: Arrival, attempt: int) -> float | None:
        """After how many seconds to ask again; None: not at all."""
        jitter = 1 + self.random(1)[0] / 512
        rest = min(_FIRST_REST_S * (1 << min(attempt, 16)), _LONGEST_REST_S) * jitter
        if isinstance(arrival, NoAnswer):
            return rest if call.repeatable or not arrival.sent else None
        if arrival.status == _LATER or (call.repeatable and arrival.status in _ON_THE_WAY):
            return max(rest, _retry_after(arrival))
        return None


def start(server: Server, smart_terminal_id: str, kind: str, form: Form, idempotency_key: str | None) -> Flow[Ended[Result]]:
    """Starts a request on a Smart Terminal and waits for its end. Raises ClientError."""
    path = f"/smartterminals/{quote(smart_terminal_id, safe='')}/{kind}"
    answer = yield from server.answer(server.post(path, form, idempotency_key))
    return (yield from wait(server, parse(StartedBody, answer.body).request_id))


def wait(server: Server, request_id: str) -> Flow[Ended[Result]]:
    """Polls a request until it has ended. Raises ClientError, with the request's id.

    A server that knows `wait` answers when something has changed; one that does not know it is polled at the usual pace.
    """
    poll = server.get(f"/smartterminals/requests/{quote(request_id, safe='')}?wait={WAIT_S}", WAIT_S)
    try:
        while True:
            answer = yield from server.answer(poll)
            ended = read_end(request_id, parse(StatusBody, answer.body))
            if ended is not None:
                return ended
            poll = replace(poll, after_s=max(0.0, server.poll_interval_s - answer.elapsed_s))
    except ClientError as error:
        error.request_id = request_id
        raise


def read_list(server: Server, path: str, page: type[Page[T]]) -> Flow[list[T]]:
    """A whole list, page by page. Raises ClientError."""
    found: list[T] = []
    while True:
        # Not by the address in `next`: that may lead anywhere, and the password would go with it.
        answer = yield from server.answer(server.get(f"{path}?offset={len(found)}"))
        part = parse(page, answer.body)
        found += part.results
        if part.next is None or not part.results:
            return found


def _retry_after(answer: Answer) -> float:
    """The seconds of `Retry-After`; 0 if there are none, or a date."""
    said = answer.headers.get("retry-after", "").strip()
    return float(said) if _SECONDS.fullmatch(said) else 0.0


def _failure(call: Call, arrival: Arrival, *, lost: bool) -> ClientError:
    """What to raise when a call is not asked again."""
    if lost or (isinstance(arrival, NoAnswer) and arrival.sent):
        return AnswerLost("the server was asked, and its answer is lost", call.headers.get("Idempotency-Key"))
    if isinstance(arrival, NoAnswer):
        return Unreachable(f"the server cannot be reached: {arrival.reason}")
    if arrival.status < 400:
        return BadAnswer(f"status {arrival.status} is none of this API")
    try:
        entries = parse(ErrorBody, arrival.body).errors
    except BadAnswer:
        entries = ()
    faults = [fault for entry in entries if (fault := entry.fault()) is not None]
    messages = [entry.message for entry in entries if entry.parameter is None]
    return api_error(arrival.status)(arrival.status, faults, messages, arrival.headers.get("x-pj-request-id"))
