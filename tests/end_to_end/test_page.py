"""Every page keeps to itself: it loads nothing from elsewhere, stands in no other site's frame, and tells nobody its address."""

from __future__ import annotations

import pytest
import urllib3

from tests.end_to_end.process import COUNTER, ServerProcess


def browse(server: ServerProcess, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    """What a browser gets that nobody has logged in with."""
    return urllib3.request("GET", server.url + path, headers=headers, retries=False)


@pytest.mark.parametrize("page", ["/docs", "/pair", f"/virtual-terminal/{COUNTER}", "/virtual-terminal/unknown"])
def test_a_page_keeps_to_itself(shared_server: ServerProcess, page: str) -> None:
    reply = browse(shared_server, page)
    policy = dict(rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; "))
    assert reply.headers["content-type"].startswith("text/html")
    assert policy["default-src"] in ("'none'", "'self'")
    assert policy["frame-ancestors"] in ("'none'", "'self'")
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] in ("'none'", "'self'")
    assert not {"unsafe-inline", "unsafe-eval", "http:", "https:", "*"} & set(reply.headers["content-security-policy"].split())
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] in ("no-referrer", "same-origin")


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.rebound.example", "localhost.rebound.example", "[", ""])
def test_a_page_of_a_terminal_is_for_this_machine_by_its_own_name(shared_server: ServerProcess, host: str) -> None:
    assert browse(shared_server, f"/virtual-terminal/{COUNTER}", Host=host).status == 401


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_description_needs_no_login(shared_server: ServerProcess, path: str) -> None:
    assert browse(shared_server, path).status == 200
