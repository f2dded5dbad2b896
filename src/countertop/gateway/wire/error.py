"""The error object: `errors`, each with a `message` and, if it is about a parameter, `parameter` and `type`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from countertop.domain.errors import Fault
from countertop.gateway.wire.json import write


class ErrorEntry(TypedDict):
    """One thing that is wrong."""

    message: str
    parameter: NotRequired[str]
    type: NotRequired[Literal["required", "invalid"]]


class ErrorBody(TypedDict):
    """Everything that is wrong."""

    errors: list[ErrorEntry]


def error_body(message: str) -> bytes:
    """One error that is about no parameter."""
    body: ErrorBody = {"errors": [{"message": message}]}
    return write(body)


def faults_body(faults: Iterable[Fault]) -> bytes:
    """An entry for each fault, in the order given."""
    body: ErrorBody = {
        "errors": [{"message": fault.message, "parameter": fault.parameter, "type": fault.kind} for fault in faults]
    }
    return write(body)
