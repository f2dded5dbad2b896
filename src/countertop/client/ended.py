"""How a Smart Terminal request ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from countertop.client.errors import BadAnswer
from countertop.client.shape import StatusBody
from countertop.domain.request import Outcome, Status
from countertop.domain.result import ButtonPressed, CardRead, InputEntered


@dataclass(frozen=True, slots=True)
class Signed:
    """The id of a signature; its picture is fetched with `signature_image`."""

    signature_id: str


@dataclass(frozen=True, slots=True)
class Paid:
    """The transaction of a payment that was decided: approved, or declined."""

    transaction_id: int


Result = CardRead | ButtonPressed | InputEntered | Signed | Paid
R_co = TypeVar("R_co", bound=Result, covariant=True)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True, slots=True)
class Ended(Generic[R_co]):
    """A request that has ended.

    `result` is None if it ended without one. `outcome` says why it ended; a server that does not say so (a release before
    2026-12-01) leaves it None where neither status nor result tell.
    """

    request_id: str
    status: Status
    outcome: Outcome | None
    result: R_co | None


def read_end(request_id: str, body: StatusBody) -> Ended[Result] | None:
    """The end that a status object reports; None while the request runs. Raises BadAnswer."""
    status = _STATUSES.get(body.status)
    if status is None:
        raise BadAnswer("a request has a status that is not known")
    if status.running:
        return None
    result = _result(body)
    return Ended(request_id, status, _outcome(body, status, result), result)


def narrow(ended: Ended[Result], kind: type[R]) -> Ended[R]:
    """The same end with a result of this kind. Raises BadAnswer if it has one of another."""
    result = ended.result
    if result is not None and not isinstance(result, kind):
        raise BadAnswer(f"a request ended with a result that is no {kind.__name__}")
    return Ended(ended.request_id, ended.status, ended.outcome, result)


def _result(body: StatusBody) -> Result | None:
    if body.track_data is not None:
        return CardRead(body.track_data, body.track1, body.track2)
    if body.prompt_button is not None:
        return ButtonPressed(body.prompt_button)
    if body.input is not None:
        return InputEntered(body.input)
    if body.signature_id is not None:
        return Signed(body.signature_id)
    return None if body.transaction_id is None else Paid(body.transaction_id)


def _outcome(body: StatusBody, status: Status, result: Result | None) -> Outcome | None:
    """What the server says, or else what can be told without it."""
    if body.outcome is not None:
        return _OUTCOMES.get(body.outcome)
    if status is Status.BUSY:
        return Outcome.TERMINAL_BUSY
    return _BY_RESULT.get(type(result))


# A cancelled request is COMPLETE without a result; the other word is known from one client library only.
_STATUSES: Final = {str(status): status for status in Status} | {"CANCELLED": Status.COMPLETE}
_OUTCOMES: Final = {str(outcome): outcome for outcome in Outcome}
_BY_RESULT: Final[dict[type, Outcome]] = {
    CardRead: Outcome.CARD_READ,
    ButtonPressed: Outcome.BUTTON_PRESSED,
    InputEntered: Outcome.INPUT_ENTERED,
    Signed: Outcome.SIGNED,
}
