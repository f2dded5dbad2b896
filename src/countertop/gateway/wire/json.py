"""JSON as the vendor's server prints it, byte for byte.

Line feeds, two spaces of indent, a space on both sides of the colon, arrays on one line with their objects opening on it, nothing
after the last brace (the reference's section 0: the documented length of a webhook body is exactly that of this formatting).
Webhook signatures are over these bytes, so they must be the same every time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES: Final = {chr(code): f"\\u{code:04X}" for code in range(0x20)} | _SHORT
_SPECIAL: Final = re.compile(r'["\\\x00-\x1f]')


def write(value: object) -> bytes:
    """A value as pretty-printed UTF-8.

    Takes strings, booleans, integers, `Decimal` (printed with the digits it has), mappings and sequences of these. Members of
    a mapping that are None are left out: the wire format has no null. Raises TypeError for anything else.
    """
    return _text(value, "\n").encode("utf-8", "replace")


def nested(value: object) -> str:
    """The same as text, for a member of an object at the top."""
    return _text(value, "\n  ")


def quote(text: str) -> str:
    """A string with its quotation marks and escapes; everything outside ASCII stands for itself."""
    if _SPECIAL.search(text) is None:
        return f'"{text}"'
    return f'"{_SPECIAL.sub(_escape, text)}"'


_name: Final = lru_cache(maxsize=1024)(quote)
"""The names of members are few and come again and again."""


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES[found.group()]


def _text(value: object, newline: str) -> str:
    """`newline` is a line feed and the indent of the line that the value starts on."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return _object(value, newline)
    if isinstance(value, Sequence):
        return _array(value, newline)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _object(members: Mapping[str, object], newline: str) -> str:
    inner = newline + "  "
    lines = [f"{inner}{_name(name)} : {_text(value, inner)}" for name, value in members.items() if value is not None]
    return "{" + ",".join(lines) + newline + "}" if lines else "{ }"


def _array(items: Sequence[object], newline: str) -> str:
    return "[ " + ", ".join([_text(item, newline) for item in items]) + " ]" if items else "[ ]"
