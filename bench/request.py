"""The requests of a point of sale, as bytes that are ready to send."""

from __future__ import annotations

import base64
from typing import Final

from bench.data import KEY, LOGIN, PASSWORD, terminal_id

FORM: Final = b"terminalId=1"
CREDENTIALS: Final = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
HEADERS: Final = (
    f"host: 127.0.0.1\r\nauthorization: Basic {CREDENTIALS}\r\nx-pj-application-key: {KEY}\r\naccept: application/json\r\n"
)


def post_read(terminal: int) -> bytes:
    """`request-read` on the terminal of that number."""
    head = f"POST /smartterminals/{terminal_id(terminal)}/request-read HTTP/1.1\r\n{HEADERS}"
    return head.encode() + b"content-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n%b" % (len(FORM), FORM)


def poll(request_id: str) -> bytes:
    """The poll of a request."""
    return f"GET /smartterminals/requests/{request_id} HTTP/1.1\r\n{HEADERS}\r\n".encode()


def advance(seconds: int) -> bytes:
    """Moves the test server's clock on."""
    form = f"seconds={seconds}".encode()
    head = f"POST /test/clock/advance HTTP/1.1\r\n{HEADERS}".encode()
    return head + b"content-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n%b" % (len(form), form)
