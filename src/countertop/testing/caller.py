"""A plain caller of the API, for tests: form in, JSON out, nothing retried, nothing hidden."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import urllib3

Form = Mapping[str, str | int | float | bool | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON. Raises ValueError if it is none."""
        return json.loads(self.body)


class Caller:
    """Calls one server as one API login. A context manager: leaving it closes its connections."""

    def __init__(self, url: str, login: str, password: str, application_key: str, *, release: str | None = None) -> None:
        self.url = url
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}",
            "X-PJ-Application-Key": application_key,
            "Accept": "application/json",
        }
        if release is not None:
            self._headers["PJ-Version"] = release
        self._pool = urllib3.PoolManager(retries=False, timeout=70)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of all connections."""
        self._pool.clear()

    def get(self, path: str) -> Reply:
        """`GET path`; a query is part of the path."""
        return self.call("GET", path)

    def post(self, path: str, form: Form | None = None) -> Reply:
        """`POST path` with a form."""
        return self.call("POST", path, form or {})

    def put(self, path: str, form: Form) -> Reply:
        """`PUT path` with a form."""
        return self.call("PUT", path, form)

    def delete(self, path: str) -> Reply:
        """`DELETE path`."""
        return self.call("DELETE", path)

    def call(self, method: str, path: str, form: Form | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Any method, with headers beside the login's and the key's. Raises urllib3's errors if there is no answer."""
        body, more = None, dict(headers or {})
        if form is not None:
            body = urlencode(_flat(form))
            more.setdefault("Content-Type", "application/x-www-form-urlencoded")
        answer = self._pool.request(method, self.url + path, body=body, headers=self._headers | more)
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)


def ended(caller: Caller, request_id: str, within_s: float = 10.0) -> dict[str, Any]:
    """Polls a Smart Terminal request until it has ended; returns the poll's body. Raises TimeoutError."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        reply = caller.get(f"/smartterminals/requests/{request_id}?wait={min(5, math.ceil(within_s))}")
        if reply.status != 200:
            raise AssertionError(f"status {reply.status}: {reply.body.decode(errors='replace')}")
        body: dict[str, Any] = reply.json
        if body["status"] not in ("CONNECTING", "IN_PROGRESS"):
            return body
    raise TimeoutError(f"the request has not ended within {within_s:g} s")


def _flat(form: Form) -> list[tuple[str, str]]:
    """Name and value of each field; a sequence is its name several times, truth is `true` or `false`."""
    fields: list[tuple[str, str]] = []
    for name, value in form.items():
        values = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
        fields += [(name, str(one).lower() if isinstance(one, bool) else str(one)) for one in values]
    return fields
