"""A well-behaved caller, as a process of its own: asks at a steady pace and writes down how long each answer took.

Run with a URL, a login, a password and an application key; prints a line for each answer: milliseconds, or `-` for what was none.
"""

from __future__ import annotations

import base64
import http.client
import sys
import time
from typing import Final
from urllib.parse import urlsplit

PACE_S: Final = 0.005


def ask_for_ever(url: str, login: str, password: str, key: str) -> None:
    """Asks until it is ended."""
    headers = {
        "Authorization": f"Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}",
        "X-PJ-Application-Key": key,
    }
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    while True:
        began = time.perf_counter()
        try:
            connection.request("GET", "/terminals", headers=headers)
            answer = connection.getresponse()
            answer.read()
            good = answer.status == 200
        except (OSError, http.client.HTTPException):
            connection.close()
            good = False
        sys.stdout.write(f"{(time.perf_counter() - began) * 1000:.3f}\n" if good else "-\n")
        sys.stdout.flush()
        time.sleep(PACE_S)


if __name__ == "__main__":
    ask_for_ever(*sys.argv[1:])
