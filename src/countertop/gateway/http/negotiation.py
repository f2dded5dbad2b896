"""The `Accept` header: may a client be sent what a resource has? (RFC 9110, section 12.5.1)"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_JSON: Final = "application/json"
_ANYTHING: Final = frozenset({b"*/*", b"application/json", b"application/json, */*", b"*/*;q=0.8"})
_QUALITY: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def accepts(headers: Iterable[tuple[bytes, bytes]], last: bytes, media_type: str) -> bool:
    """Whether the `Accept` headers allow a media type; `last` is the value of the last of them, which is mostly the only one."""
    if media_type == _JSON and last in _ANYTHING:
        return True
    text = ",".join(value.decode("latin-1") for name, value in headers if name == b"accept").lower()
    if not text.strip():
        return True
    # Clients of this API ask for JSON whatever it is they want, so who may have JSON may have pages and pictures, too.
    return _quality(text, media_type) > 0 or (media_type != _JSON and _quality(text, _JSON) > 0)


def _quality(text: str, media_type: str) -> float:
    """The quality that the most specific range gives a media type; 0 if none allows it, or what is there is no range."""
    kind = media_type.partition("/")[0]
    specificity = {"*/*": 1, f"{kind}/*": 2, media_type: 3}
    best, quality = 0, 0.0
    for entry in text.split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        rank = specificity.get(name, 0)
        weight = next((value for value in parameters if value.startswith("q=")), "q=1").removeprefix("q=")
        if rank > best and _QUALITY.fullmatch(weight):
            best, quality = rank, float(weight)
    return quality
