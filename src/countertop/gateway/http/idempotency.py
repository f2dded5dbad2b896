"""`Idempotency-Key`: a POST that is sent twice happens once, and is answered twice with the same bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

from countertop.domain.errors import Fault, Invalid
from countertop.gateway.http.answer import Answer, Pending
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import Values
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.operations.answer import once
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store.unit import Unit

P = ParamSpec("P")
T = TypeVar("T")

HEADER: Final = "Idempotency-Key"
MAX_KEY: Final = 255
_KEY: Final = re.compile(rb"[!-~]{1,%d}" % MAX_KEY)


class Once:
    """Carries out what a POST orders; with an `Idempotency-Key`, once for a day."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts

    def write(
        self,
        call: Call,
        values: Values,
        answer: Callable[[T], Answer],
        operation: Callable[Concatenate[Unit, Moment, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending:
        """Runs an operation and answers with what `answer` makes of its value, or with what was answered the first time.

        Raises Invalid if the key is none, or was used for something else; and what the operation raises, which is not remembered.
        """
        moment = self._parts.moment()
        key = call.headers.get(b"idempotency-key")
        if key is None:
            return Pending(self._parts.store.jot(operation, moment, *args, **kwargs), answer)
        if _KEY.fullmatch(key) is None:
            raise Invalid([Fault(HEADER, "invalid", f"{HEADER} is invalid: write 1 to {MAX_KEY} visible characters of ASCII.")])

        def effect(unit: Unit) -> tuple[int, bytes]:
            done = answer(operation(unit, moment, *args, **kwargs))
            return done.status, done.body

        key_hash = hashlib.sha256(key).digest()
        done = self._parts.store.write(once, moment, call.caller, key_hash, _form_hash(call, values), effect)
        return Pending(done, _again)


def _again(done: tuple[int, bytes]) -> Answer:
    return Answer(*done)


def _form_hash(call: Call, values: Values) -> bytes:
    """What makes two forms the same: method, path, and each parameter's values in their order."""
    parts = [call.route.method, *call.route.path.split("/"), *call.variables]
    for name in sorted(values):
        parts += [name, *values[name], "\n"]
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode()).digest()
