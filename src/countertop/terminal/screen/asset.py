"""The page's files, read once from the package, and the headers that keep the page to itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Final

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Every answer's headers: nothing from elsewhere is loaded or run, nothing is kept, nobody learns the page's address."""

DOCUMENT: Final = "index.html"
_MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. `tag` changes with its content, so browsers may keep it and only ask whether it is still good."""

    content: bytes
    media_type: str
    tag: str


def load_assets() -> dict[str, Asset]:
    """All files that the document names, by name."""
    found = (entry for entry in files(__package__).joinpath("static").iterdir() if entry.name != DOCUMENT)
    return {entry.name: _asset(entry.name, entry.read_bytes()) for entry in found if _suffix(entry.name) in _MEDIA_TYPES}


def load_document(*, assets: str, known: bool, tray: bool) -> bytes:
    """The document. `assets` is the path of its files, `known` whether there is a terminal, `tray` whether to offer cards."""
    template = Template(files(__package__).joinpath("static", DOCUMENT).read_text("utf-8"))
    return template.substitute(assets=assets, known=_yes(known), tray=_yes(tray)).encode()


def _asset(name: str, content: bytes) -> Asset:
    return Asset(content, _MEDIA_TYPES[_suffix(name)], f'"{hashlib.sha256(content).hexdigest()[:16]}"')


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
