"""A server that is told to stop: it finishes what runs, and is gone within ten seconds."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import time
from urllib.parse import urlsplit

from tests.end_to_end.conftest import StartServer
from tests.end_to_end.process import KEY, LOGIN, PASSWORD, STOP_S, post_read, terminal, wait_until

HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode(),
    "X-PJ-Application-Key": KEY,
}


def test_sigterm_answers_what_waits_and_ends_with_0(start_server: StartServer) -> None:
    server = start_server()
    with server.caller() as caller, contextlib.closing(http.client.HTTPConnection(urlsplit(server.url).netloc)) as waiting:
        request_id = post_read(caller)
        terminal(caller).until("SWIPE_CARD")
        poll = f"/smartterminals/requests/{request_id}"
        wait_until(lambda: caller.get(poll).json["status"] == "IN_PROGRESS")
        waiting.request("GET", f"{poll}?wait=60", headers=HEADERS)
        assert caller.get("/healthz").status == 200  # what was sent before this has been read before it
        started = time.monotonic()
        assert server.stop() == 0
        answer = waiting.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"status": "IN_PROGRESS"})
    assert time.monotonic() - started < STOP_S
    assert not server.ready_file.exists()


def test_a_stopped_server_goes_on_where_it_was(start_server: StartServer) -> None:
    server = start_server()
    with server.caller() as caller:
        request_id = post_read(caller)
        terminal(caller).until("SWIPE_CARD")
    assert server.stop() == 0
    server.start()
    with server.caller() as caller:
        assert terminal(caller).until("SWIPE_CARD").request_id == request_id
