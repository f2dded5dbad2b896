"""A well-behaved point of sale, as a process of its own: has gift cards read and writes down how long each answer took.

Run with a URL, a login, a password, an application key, and the id of a terminal whose customer swipes by itself. An answer
becomes a line: `post` or `poll`, and milliseconds; `-` for what was no good answer.
"""

from __future__ import annotations

import base64
import http.client
import json
import sys
import time
from typing import Any, Final
from urllib.parse import urlsplit

PACE_S: Final = 0.005
"""Between two requests."""
RUNNING: Final = ("CONNECTING", "IN_PROGRESS")


class Counter:
    """One point of sale at one terminal."""

    def __init__(self, url: str, login: str, password: str, key: str, smart_terminal_id: str) -> None:
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}",
            "X-PJ-Application-Key": key,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._read = f"/smartterminals/{smart_terminal_id}/request-read"
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)

    def read_cards(self) -> None:
        """Has cards read until it is ended."""
        while True:
            try:
                self._read_card()
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                self._connection.close()
                _say("-")
                time.sleep(PACE_S)

    def _read_card(self) -> None:
        request_id = self._ask("post", "POST", self._read, "terminalId=1")["requestId"]
        while (status := self._ask("poll", "GET", f"/smartterminals/requests/{request_id}")["status"]) in RUNNING:
            pass
        if status != "COMPLETE":
            _say("-")

    def _ask(self, what: str, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        began = time.perf_counter()
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
        took = (time.perf_counter() - began) * 1000
        _say(f"{what} {took:.3f}" if answer.status == 200 else "-")
        time.sleep(PACE_S)
        return said


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Counter(*sys.argv[1:]).read_cards()
