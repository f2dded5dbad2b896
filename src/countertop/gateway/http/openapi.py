"""The API's description in OpenAPI 3.1, made of the route table and of the same models that read forms and shape answers."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from countertop.domain.releases import NEWEST
from countertop.gateway.http.form import Form
from countertop.gateway.http.route import Route
from countertop.gateway.wire.error import ErrorBody

Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"
_UUID: Final[Json] = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_NUMBER: Final[Json] = {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}
_NUMBERED: Final = frozenset({"transactionId", "noteId", "settlementId"})
"""The ids that are numbers; all others are UUIDs."""

_MEANINGS: Final = {
    200: "Done",
    204: "Done; there is nothing to say",
    400: "Parameters are missing or invalid; all of them are named at once",
    401: "The application key, the API login or the password is wrong",
    403: "A documented ceiling is reached",
    404: "There is no such thing, or it belongs to somebody else",
    405: "The resource does not have this method",
    406: "The Accept header does not allow what the resource has",
    409: "Something else was changed at the same time",
    413: "The body is too large",
    415: "The body is not a form",
    429: "Too many requests; Retry-After says when to go on",
    500: "Something went wrong here; X-Pj-Request-Id finds it in the log",
    503: "The server cannot do it just now; try again",
}
_ALWAYS: Final = (400, 401, 405, 406, 429, 500, 503)
_WITH_FORM: Final = (413, 415)

_ABOUT: Final = """\
An open Smart Terminal gateway, wire compatible with PayJunction's API.

Every request carries Basic authorization with an API login, and an application key. Bodies that go in are forms, answers are
JSON. A `PJ-Version` header asks for the shapes of a release; without it they are those of the release that the application key
is pinned to.

A POST may carry an `Idempotency-Key`, 1 to 255 visible characters: sent again with the same key within 24 hours, the same form is
carried out once and answered the same; another form is refused.

Ask for this document with a login and a key, and it also names the merchant accounts and Smart Terminals that they may use.
"""


def describe(routes: Iterable[Route], version: str) -> Json:
    """The OpenAPI document of these routes; `version` is the product's."""
    described = [route for route in routes if route.described]
    answers = {route.answer for route in described if route.answer is not None}
    names, schemas = _schemas([*sorted(answers, key=str), ErrorBody])
    paths: dict[str, Json] = {}
    for route in described:
        operation = paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names)
        _add_links(operation, route, described, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Countertop",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"login": [], "applicationKey": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "login": {"type": "http", "scheme": "basic", "description": "API login and password"},
                "applicationKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-PJ-Application-Key",
                    "description": "Checked first",
                },
            },
        },
    }


def for_caller(document: Json, terminals: Sequence[int], smart_terminals: Sequence[str]) -> Json:
    """The document for one merchant: it names the ids that its requests may carry."""
    ids = {"terminalId": list(terminals), "smartTerminalId": list(smart_terminals)}
    mine: Json = copy.deepcopy(document)
    for operation in (operation for methods in mine["paths"].values() for operation in methods.values()):
        schemas = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schemas |= content["schema"]["properties"]
        for name, known in ids.items():
            if known and name in schemas:
                schemas[name]["enum"] = known
    return mine


def _schemas(types: list[Any]) -> tuple[dict[Any, Json], Json]:
    """A schema for each type, and the definitions that they refer to."""
    mode: JsonSchemaMode = "serialization"
    adapters = [(kind, mode, TypeAdapter(kind)) for kind in types]
    found, rest = TypeAdapter.json_schemas(adapters, ref_template=_REFERENCE)
    definitions = {name: _plain(schema) for name, schema in rest.get("$defs", {}).items()}
    return {kind: _plain(schema) for (kind, _), schema in found.items()}, definitions


def _plain(schema: Any) -> Any:
    """A schema without the titles that pydantic makes up from names."""
    if isinstance(schema, list):
        return [_plain(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _plain(value) for name, value in schema.items() if not (name == "title" and isinstance(value, str))}


def _operation(route: Route, names: Mapping[Any, Json]) -> Json:
    operation: Json = {"summary": route.summary, "operationId": _identifier(route), "parameters": _parameters(route)}
    if route.about:
        operation["description"] = route.about
    if route.form is not None:
        form = _form_schema(route.form.form)
        operation["requestBody"] = {
            "required": bool(form.get("required")),
            "content": {"application/x-www-form-urlencoded": {"schema": form, "encoding": _encoding(form)}},
        }
    operation["responses"] = _responses(route, names)
    return operation


def _identifier(route: Route) -> str:
    words = re.findall(r"[A-Za-z]+", route.path.replace("{", "by-").replace("}", ""))
    return route.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def _parameters(route: Route) -> list[Json]:
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": dict(_NUMBER if name in _NUMBERED else _UUID)}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if route.query is not None:
        schema = _form_schema(route.query.form)
        for name, value in schema["properties"].items():
            meaning = value.pop("description", None)
            parameters.append({"name": name, "in": "query", "description": meaning, "schema": value})
    parameters.append(
        {
            "name": "PJ-Version",
            "in": "header",
            "description": "The release whose shapes are wanted, as a date",
            "schema": {"type": "string", "format": "date", "examples": [NEWEST]},
        }
    )
    return parameters


def _form_schema(form: type[Form]) -> Json:
    schema: Json = _plain(form.model_json_schema())
    schema.pop("description", None)
    schema = _inlined(schema, schema.pop("$defs", {}))
    for name, value in schema.get("properties", {}).items():
        _as_sent(value)
        if name in schema.get("required", ()) and value.get("type") == "string" and "enum" not in value:
            value.setdefault("minLength", 1)  # what is sent empty counts as left out
    return schema


def _inlined(schema: Any, definitions: Mapping[str, Json]) -> Any:
    """A schema with what it refers to in its own place: a form's words are described where they are used."""
    if isinstance(schema, list):
        return [_inlined(entry, definitions) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {name: value for name, value in definitions[schema["$ref"].rpartition("/")[2]].items() if name != "description"}
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def _as_sent(schema: Json) -> None:
    """A value as a form can hold it.

    It has no null: an optional parameter is left out, so `anyOf` a type and null is the type. A list of one looks like its only
    item, and a boolean is a word.
    """
    options = [option for option in schema.pop("anyOf", ()) if option != {"type": "null"}]
    for option in options:
        schema.update(option)
    default = schema.get("default", "")
    if default is None:
        del schema["default"]
    elif isinstance(default, bool):
        schema["default"] = str(default).lower()
    if schema.get("type") == "array":
        bounds = {name: schema.pop(name) for name in ("type", "items", "minItems", "maxItems") if name in schema}
        schema["anyOf"] = [bounds, bounds["items"]]


def _encoding(form: Json) -> Json:
    return {name: {"style": "form", "explode": True} for name, value in form["properties"].items() if "anyOf" in value}


def _add_links(operation: Json, route: Route, others: Iterable[Route], schemas: Json) -> None:
    """Says of a new thing's id which operations take it: those below its own path with a variable of that name."""
    if route.method != "POST" or route.answer is None:
        return
    answered = operation["responses"]["200"]
    members = schemas[answered["content"][route.media_type]["schema"]["$ref"].rpartition("/")[2]]["properties"]
    links = {
        _identifier(other): {"operationId": _identifier(other), "parameters": {name: f"$response.body#/{name}"}}
        for other in others
        for name in re.findall(r"\{(\w+)\}", other.path.removeprefix(route.path))
        if name in members and other.path.startswith(route.path)
    }
    if links:
        answered["links"] = links


def _responses(route: Route, names: Mapping[Any, Json]) -> Json:
    headers: Json = {"X-Pj-Request-Id": {"required": True, "description": "Names the request in the log", "schema": _UUID}}
    responses: Json = {}
    if route.answer is None:
        responses["204"] = {"description": _MEANINGS[204], "headers": headers}
    else:
        content = {route.media_type: {"schema": names[route.answer]}}
        responses["200"] = {"description": _MEANINGS[200], "headers": headers, "content": content}
    statuses = {*_ALWAYS, *route.statuses, *(_WITH_FORM if route.form is not None else ())}
    for status in sorted(statuses):
        responses[str(status)] = {
            "description": _MEANINGS[status],
            "headers": headers | _EXTRA_HEADERS.get(status, {}),
            "content": {"application/json": {"schema": names[ErrorBody]}},
        }
    return responses


_SECONDS: Final[Json] = {"required": True, "description": "Seconds", "schema": {"type": "integer", "minimum": 1}}
_EXTRA_HEADERS: Final[dict[int, Json]] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    405: {"Allow": {"required": True, "schema": {"type": "string"}}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}
