"""Hints as they travel between nodes: small JSON, keys only.

`{"node": "…", "hints": [["show", smart terminal, request], ["request", request], ["delivery"], …]}`. What a hint carries beside
its keys stays at home, so nothing that was on a card is ever in such a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from countertop.domain.errors import NotReadable
from countertop.domain.hint import (
    ClearHint,
    ConnectionHint,
    DecidedHint,
    DeliveryHint,
    Hint,
    IntentHint,
    MailHint,
    RequestHint,
    ShowHint,
    TransactionHint,
)

Item = tuple[str, ...]

_MAKERS: Final[Mapping[str, tuple[int, Callable[..., Hint]]]] = MappingProxyType(
    {
        "show": (2, ShowHint),
        "clear": (2, ClearHint),
        "request": (1, RequestHint),
        "connection": (2, ConnectionHint),
        "delivery": (0, DeliveryHint),
        "decided": (2, DecidedHint),
        "transaction": (1, lambda number: TransactionHint(int(number))),
    }
)
"""For each kind, how many keys it has and what makes a hint of them."""


def to_item(hint: Hint) -> Item | None:  # noqa: PLR0911 - one a hint
    """A hint as it travels; None if it does not: what this node has in hand, or will at once, concerns no other."""
    match hint:
        case ShowHint():
            return "show", hint.smart_terminal_id, hint.request_id
        case ClearHint():
            return "clear", hint.smart_terminal_id, hint.request_id
        case RequestHint():
            return "request", hint.request_id
        case ConnectionHint():
            return "connection", hint.smart_terminal_id, hint.connection_id
        case DeliveryHint():
            return None if hint.leased or hint.following else ("delivery",)
        case DecidedHint():
            return "decided", hint.smart_terminal_id, hint.request_id
        case TransactionHint():
            return "transaction", str(hint.transaction_id)
        case IntentHint() | MailHint():
            return None


def encode(node_id: str, items: Iterable[Item]) -> bytes:
    """One message."""
    return json.dumps({"node": node_id, "hints": list(items)}, separators=(",", ":")).encode()


def decode(message: bytes) -> tuple[str, list[Hint]]:
    """The sender and its hints. Kinds that this version does not know are left out.

    Raises NotReadable if it is not such a message.
    """
    try:
        content = json.loads(message)
        node_id, items = content["node"], content["hints"]
        if not isinstance(node_id, str):
            raise TypeError
        return node_id, [hint for item in items if (hint := _hint(*item)) is not None]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotReadable("not a message with hints") from None


def _hint(kind: object, *keys: object) -> Hint | None:
    if not isinstance(kind, str) or not all(isinstance(key, str) for key in keys):
        raise TypeError
    if kind not in _MAKERS:
        return None
    count, make = _MAKERS[kind]
    if len(keys) < count:
        raise TypeError
    return make(*keys[:count])
