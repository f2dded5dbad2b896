"""A Smart Terminal request on the wire: the flat status object of polling, and the same facts inside a webhook."""

from __future__ import annotations

from typing import Final, NotRequired

from typing_extensions import TypedDict

from countertop.domain.order import Kind
from countertop.domain.releases import OUTCOMES, Release
from countertop.domain.request import Outcome, Status
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Paid, Result
from countertop.gateway.wire.json import write


class StartedBody(TypedDict):
    """The id of a request that has begun."""

    requestId: str


class StartedPaymentBody(TypedDict):
    """The same for a payment, whose id has another name."""

    requestPaymentId: str


class StatusBody(TypedDict):
    """Where a request is, and what came of it; `outcome` since release 2026-12-01, once it has ended.

    A payment has its `transactionId` from the processor's decision on, while the terminal still asks for a signature.
    """

    status: Status
    transactionId: NotRequired[int]
    trackData: NotRequired[str]
    track1: NotRequired[str]
    track2: NotRequired[str]
    promptButton: NotRequired[str]
    input: NotRequired[str]
    signatureId: NotRequired[str]
    outcome: NotRequired[Outcome]


def started_body(kind: Kind, request_id: str) -> bytes:
    """What a point of sale hears when it starts a request: its id, which payments name differently."""
    name = "requestPaymentId" if kind is Kind.PAYMENT else "requestId"
    return f'{{\n  "{name}" : "{request_id}"\n}}'.encode()


def status_body(  # noqa: PLR0917 - what there is to say of a request
    request_id: str,
    status: Status,
    outcome: Outcome | None,
    result: Result | None,
    release: Release,
    transaction_id: int | None = None,
) -> bytes:
    """What a poll answers. A running request without a result is one of a few constants."""
    if outcome is None and result is None and transaction_id is None:
        return _BARE[status]
    return write(status_members(request_id, status, outcome, result, release, transaction_id))


def status_members(  # noqa: PLR0917 - what there is to say of a request
    request_id: str,
    status: str,
    outcome: str | None,
    result: Result | None,
    release: Release,
    transaction_id: int | None = None,
) -> dict[str, object]:
    """The members that polling and webhooks share: `status`, the result's own, and from release 2026-12-01 on `outcome`.

    Status and outcome are words of `domain.request`. `transaction_id` is that of a payment once it is decided.
    """
    members: dict[str, object] = {"status": status}
    if transaction_id is not None:
        members["transactionId"] = transaction_id
    if result is not None:
        members |= _result_members(request_id, result)
    if outcome is not None and release >= OUTCOMES:
        members["outcome"] = outcome
    return members


def _result_members(request_id: str, result: Result) -> dict[str, object]:
    if isinstance(result, CardRead):
        return {"trackData": result.stripe, "track1": result.track1, "track2": result.track2}
    if isinstance(result, ButtonPressed):
        return {"promptButton": result.button}
    if isinstance(result, InputEntered):
        return {"input": result.text}
    if isinstance(result, Paid):
        return {"transactionId": result.transaction_id}
    # A request gives at most one signature, so its own id names it.
    return {"signatureId": request_id}


_BARE: Final = {status: write({"status": status}) for status in Status}
