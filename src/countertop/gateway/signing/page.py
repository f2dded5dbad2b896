"""Signing a receipt from afar: a mail holds the address of this page, and the address holds the right to sign.

Looking at the page changes nothing, because mail servers look at every address that they carry; only its form signs.
"""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from countertop.domain.clock import Clock
from countertop.domain.errors import NotFound, NotReadable, TooLate
from countertop.domain.ids import RandomBytes
from countertop.domain.invitation import Invitation, read_invitation
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.paper import Paper, find_paper, sign_paper
from countertop.gateway.paper.page import Receipt, receipt_of
from countertop.gateway.small_form import read_small_form
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.wire.strokes import read_strokes

_FOLDER: Final = Path(__file__).parent / "static"
_TEMPLATES: Final = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_FILES: Final = {"sign.css": "text/css", "sign.js": "text/javascript"}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MOST_BYTES: Final = 256 * 1024
"""The largest form: ten thousand points, each letter escaped that browsers escape."""
MOST_NAME: Final = 64

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the assembly gives. `key` is that of invitations; receipts show the time of the `zone`."""

    store: Store
    clock: Clock
    random: RandomBytes
    node_id: str
    key: bytes = field(repr=False)
    zone: datetime.tzinfo

    def moment(self) -> Moment:
        """Now, for an operation."""
        return Moment(self.clock.now(), self.random, self.node_id)


class SigningPage:
    """The page at `/sign/{invitation}`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[BaseRoute]:
        """What to mount."""
        files: list[BaseRoute] = [Route(f"/sign/{name}", _file, methods=["GET"]) for name in _FILES]
        one = "/sign/{invitation}"
        return [*files, Route(one, self.show, methods=["GET"]), Route(one, self.sign, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The receipt and the pad, if nobody has signed yet."""
        try:
            _, paper = await self._find(request)
            return await self._pad(paper) if paper.wants_signature else _signed_already()
        except (NotReadable, NotFound):
            return _no_invitation()
        except Unavailable:
            return _unavailable()

    async def sign(self, request: Request) -> Response:
        """Signs."""
        try:
            invitation, paper = await self._find(request)
            form = await read_small_form(request, MOST_BYTES)
        except (NotReadable, NotFound):
            return _no_invitation()
        except Unavailable:
            return _unavailable()
        try:
            strokes = await asyncio.to_thread(read_strokes, form.get("signature", ""))
        except NotReadable:
            return await self._pad(paper, "Please sign in the field.", 400)
        name = "".join(letter for letter in form.get("name", "") if letter.isprintable()).strip()[:MOST_NAME]
        address = request.client.host if request.client else ""
        try:
            await self._parts.store.write(sign_paper, self._parts.moment(), invitation, strokes, signed_by=name, address=address)
        except TooLate:
            return _signed_already()
        except Unavailable:
            return _unavailable()
        _log.info("a receipt was signed from afar", transaction=invitation.transaction_id)
        return _draw("message.html", title="Thank you", text="The receipt is signed. You may close this page.")

    async def _find(self, request: Request) -> tuple[Invitation, Paper]:
        """What an address is about. Raises NotReadable if it is no invitation, NotFound if its transaction is gone."""
        parts = self._parts
        invitation = read_invitation(parts.key, request.path_params["invitation"], parts.clock.now())
        paper = await parts.store.peek(find_paper, invitation.merchant_id, invitation.transaction_id)
        return invitation, paper

    async def _pad(self, paper: Paper, problem: str = "", status: int = 200) -> Response:
        receipt: Receipt = await asyncio.to_thread(receipt_of, paper, self._parts.zone)
        return _draw("sign.html", status, receipt=receipt, problem=problem)


async def _file(request: Request) -> Response:
    """One of the page's files."""
    name = request.url.path.rpartition("/")[2]
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    return FileResponse(_FOLDER / name, media_type=_FILES[name], headers=headers)


def _draw(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values), status, headers=_HEADERS)


def _no_invitation() -> Response:
    text = "This address is not, or no longer, one to sign a receipt at. Please ask the shop for another."
    return _draw("message.html", 404, title="Nothing to sign", text=text)


def _signed_already() -> Response:
    return _draw("message.html", title="Nothing to sign", text="This receipt is signed, or needs no signature any more.")


def _unavailable() -> Response:
    response = _draw("message.html", 503, title="One moment", text="Please try again in a few seconds.")
    response.headers["Retry-After"] = "5"
    return response
