"""What describes the API: `/openapi.json` for programs, `/docs` for people. Both are made when first asked for."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from countertop.gateway.http.access import Access
from countertop.gateway.http.answer import HTML, Answer, page_headers
from countertop.gateway.http.call import Call
from countertop.gateway.http.openapi import Json, describe, for_caller
from countertop.gateway.http.page import MAX_LIMIT
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Route
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.terminal import list_smart_terminals, list_terminals

_HERE: Final = Path(__file__).parent
_STYLE: Final = (_HERE / "docs.css").read_text(encoding="utf-8")


class Description:
    """`/openapi.json` and `/docs`. Neither needs a login; with one, the document is about its merchant."""

    def __init__(self, parts: ApiParts, access: Access, routes: Iterable[Route]) -> None:
        self._parts = parts
        self._access = access
        self._routes = tuple(routes)

    @cached_property
    def _document(self) -> Json:
        return describe(self._routes, version("countertop"))

    @cached_property
    def _page(self) -> Answer:
        return Answer(200, docs_page(self._document).encode(), HTML, page_headers(_POLICY))

    @cached_property
    def _written(self) -> Answer:
        """The document as everybody may see it: writing it takes too long to do it for whoever asks."""
        return _written(self._document)

    def routes(self) -> list[Route]:
        """Both of them."""
        return [
            Route("GET", "/openapi.json", self.openapi, "The API's description", public=True, described=False),
            Route("GET", "/docs", self.docs, "The API as a page", media_type="text/html", public=True, described=False),
        ]

    async def openapi(self, call: Call) -> Answer:
        """`GET /openapi.json`."""
        if b"authorization" not in call.headers:
            return self._written
        admitted = self._access.admit(call.headers)
        caller = admitted if isinstance(admitted, Caller) else await admitted
        store, now = self._parts.store, self._parts.clock.now()
        terminals = await store.peek(list_terminals, caller.merchant_id, 0, MAX_LIMIT)
        smart_terminals = await store.read(list_smart_terminals, now, caller.merchant_id, 0, MAX_LIMIT)
        enabled = [terminal.terminal_id for terminal in terminals if terminal.enabled]
        return _written(for_caller(self._document, enabled, [terminal.id for terminal in smart_terminals]))

    async def docs(self, _: Call) -> Answer:
        """`GET /docs`."""
        return self._page


def _written(document: Json) -> Answer:
    return Answer(200, json.dumps(document, ensure_ascii=False, indent=2).encode())


def docs_page(document: Json) -> str:
    """The description as one HTML page that loads nothing."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["kind"] = _kind
    environment.filters["limits"] = _limits
    return environment.get_template("docs.html").render(api=document, style=_STYLE, operations=list(_operations(document)))


def _operations(document: Json) -> Iterable[Json]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            form = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {}).get("schema")
            yield {
                "path": path,
                "method": method.upper(),
                "form": form,
                "curl": _curl(path, method.upper(), form),
                "answer": _answer_schema(document, operation),
                **operation,
            }


def _answer_schema(document: Json, operation: Json) -> Json | None:
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
    return None if content is None else _resolved(document, content["schema"])


def _resolved(document: Json, schema: Json) -> Json:
    """A schema with its reference followed; a page of things shows one of them."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _curl(path: str, method: str, form: Json | None) -> str:
    lines = ["curl -u LOGIN:PASSWORD -H 'X-PJ-Application-Key: KEY'"]
    lines += [f"  -d '{name}={_EXAMPLES.get(name, '…')}'" for name in (form or {}).get("required", ())]
    if method not in ("GET", "POST") or (method == "POST" and len(lines) == 1):
        lines.append(f"  -X {method}")
    return " \\\n".join([*lines, f"  http://127.0.0.1:8440{path}"])


_EXAMPLES: Final = {
    "terminalId": "1",
    "text": "Gift wrap?",
    "buttons[]": "Yes",
    "type": "PHONE",
    "terms": "I agree.",
    "event": "SMARTTERMINAL_REQUEST",
    "url": "https://pos.example/hook",
}


def _kind(schema: Json) -> str:
    """A schema's type in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].removesuffix("Body")
    if "enum" in schema or "const" in schema:
        return "one of"
    if "anyOf" in schema:
        return _kind(schema["anyOf"][0])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "value")


def _limits(schema: Json) -> str:
    """What a value must keep to, in words."""
    words: list[str] = []
    for name, text in _LIMITS.items():
        if name in schema:
            words.append(text.format(schema[name]))
    if "enum" in schema:
        words.append(", ".join(map(str, schema["enum"])))
    if "const" in schema:
        words.append(str(schema["const"]))
    if "anyOf" in schema:
        words.append(_limits(schema["anyOf"][0]))
    if schema.get("type") == "array":
        words.append("each " + _limits(schema["items"]))
    return "; ".join(word for word in words if word)


_LIMITS: Final[dict[str, Any]] = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "default": "default {}",
}

_STYLE_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
