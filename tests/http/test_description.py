"""The API's description: complete, true, and readable without a network."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from tests.http.gateway import Gateway
from tests.http.harness import IDLE_TERMINAL, SMART_TERMINAL, Client, basic
from tests.http.test_transaction import make


async def document(client: Client) -> dict[str, Any]:
    reply = await client.get("/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    body = reply.json
    assert isinstance(body, dict)
    return body


async def test_every_resource_is_described(gateway: Gateway) -> None:
    described = await document(Client(gateway.client.url, {}))
    assert described["openapi"] == "3.1.0"
    assert {(path, method.upper()) for path, methods in described["paths"].items() for method in methods} == {
        (route.path, route.method) for route in gateway.api.table.routes if route.described
    }
    for operation in (operation for methods in described["paths"].values() for operation in methods.values()):
        assert operation["summary"]
        for parameter in operation["parameters"]:
            Draft202012Validator(parameter["schema"])
    for schema in described["components"]["schemas"].values():
        Draft202012Validator({**schema, "components": described["components"]})


async def test_with_a_login_it_names_what_the_login_may_use(client: Client) -> None:
    read = (await document(client))["paths"]["/smartterminals/{smartTerminalId}/request-read"]["post"]
    form = read["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert form["properties"]["terminalId"]["enum"] == [1, 2]
    assert read["parameters"][0]["schema"]["enum"] == [SMART_TERMINAL, IDLE_TERMINAL]
    stranger = await document(Client(client.url, {}))
    assert "enum" not in str(stranger["paths"]["/smartterminals/{smartTerminalId}/request-read"]["post"]["parameters"])
    assert (await client.get("/openapi.json", Authorization=basic("nobody", "x"))).status == 401


async def test_the_page_needs_nothing_but_itself(client: Client) -> None:
    reply = await Client(client.url, {}).get("/docs", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html")
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    page = reply.body.decode()
    assert not re.search(r"<(script|link|img|iframe)|url\(|@import", page)
    assert not [link for link in re.findall(r'(?:href|src)="([^"]+)"', page) if not link.startswith(("#", "/openapi.json"))]
    for path in (await document(client))["paths"]:
        assert path in page


CONFIGURATION = """
[parameters]
"path.transactionId" = 1
"path.noteId" = 1

# What these take, no schema can say: check digits, one payment source of many, what the terminal's account allows.
[[operations]]
include-name = [
    "POST /transactions",
    "PUT /transactions/{transactionId}",
    "POST /transactions/{transactionId}/signature/capture",
    "POST /transactions/{transactionId}/level3",
    "POST /smartterminals/{smartTerminalId}/request-payment",
]
checks.positive_data_acceptance.enabled = false
"""


@pytest.mark.timeout(300)
async def test_schemathesis_finds_nothing(gateway: Gateway, tmp_path: Path) -> None:
    headers = [f"{name}: {value}" for name, value in gateway.client.headers.items()]
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{gateway.client.url}/openapi.json"]
    options = ["--max-examples=4", "--generation-deterministic", "--suppress-health-check=all", "--no-color"]
    await make(gateway.client, note="A note")
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *command,
        *options,
        *(argument for header in headers for argument in ("--header", header)),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b" passed" in said


@pytest.mark.parametrize("path", ["/docs/", "/openapi.json/"])
async def test_a_slash_at_the_end_does_not_matter(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 200
