"""The page on which an operator confirms a new terminal (RFC 8628, section 3.3). It works without a script.

A code can be guessed with luck and patience, so attempts are counted for each login; what confirming a foreign terminal would
give an attacker is why the page asks to compare the code with the terminal's screen.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from countertop.domain.errors import NotFound, NotReadable
from countertop.gateway.attempt import Attempts, origin_of
from countertop.gateway.console.origin import same_origin
from countertop.gateway.console.page import HEADERS, STYLE, draw, style
from countertop.gateway.console.parts import Parts
from countertop.gateway.console.session import Operator, find_operator, let_in, let_out
from countertop.gateway.operations.access import find_login
from countertop.gateway.operations.pairing import confirm_pairing, deny_pairing
from countertop.gateway.operations.terminal import SmartTerminal, list_smart_terminals
from countertop.gateway.password import TooManyLogins
from countertop.gateway.small_form import read_small_form
from countertop.gateway.store.trouble import Unavailable

PATH: Final = "/pair"
LOGINS_A_MINUTE: Final = 10
CODES_A_MINUTE: Final = 10
MOST_LISTED: Final = 500
MOST_CODE: Final = 16
"""Longest code, separators included, that is taken over from an address."""

_log = structlog.stdlib.get_logger(__name__)


class PairingPage:
    """The page at `PATH`: log in, choose the Smart Terminal, confirm or deny."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._logins = Attempts(LOGINS_A_MINUTE)
        self._codes = Attempts(CODES_A_MINUTE)

    def routes(self) -> list[BaseRoute]:
        """What to mount."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(PATH, self.act, methods=["POST"]),
            Route(STYLE, style, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form that is due: the login's, or the choice."""
        code = request.query_params.get("user_code", "")[:MOST_CODE]
        operator = find_operator(request, self._parts.sealer, self._parts.clock.now())
        try:
            return draw("login.html", code=code, problem="") if operator is None else await self._choice(operator, code)
        except Unavailable:
            return _unavailable()

    async def act(self, request: Request) -> Response:
        """Does what one of the forms' buttons says."""
        if not same_origin(request):
            return draw("message.html", 403, title="Not from here", text="This form was not sent by this page.", good=False)
        try:
            form = await read_small_form(request)
        except NotReadable:
            return draw("message.html", 400, title="Not understood", text="Please go back and try again.", good=False)
        try:
            return await self._do(request, form)
        except (Unavailable, TooManyLogins):
            return _unavailable()

    async def _do(self, request: Request, form: dict[str, str]) -> Response:
        code = form.get("user_code", "").strip()[:MOST_CODE]
        action = form.get("action")
        if action == "login":
            return await self._log_in(request, form.get("login", ""), form.get("password", ""), code)
        if action == "leave":
            response = _to_page("")
            let_out(response)
            return response
        operator = find_operator(request, self._parts.sealer, self._parts.clock.now())
        if operator is None:
            return draw("login.html", 401, code=code, problem="Please log in again.")
        return await self._decide(operator, code, form.get("smart_terminal_id", ""), deny=action == "deny")

    async def _log_in(self, request: Request, login: str, password: str, code: str) -> Response:
        now = self._parts.clock.now()
        origin = origin_of(request.client.host) if request.client else ""
        if not self._logins.allow(origin, now):
            return draw("login.html", 429, code=code, problem="Too many attempts. Please wait a minute.")
        found = await self._parts.store.peek(find_login, login)
        login_id, password_hash = (found.id, found.password_hash) if found else (None, None)
        right = await self._parts.passwords.verify(login_id, password_hash, password)
        if found is None or not right:
            return draw("login.html", 401, code=code, problem="This login or password is not right.")
        response = _to_page(code)
        let_in(response, request, self._parts.sealer, Operator(found.merchant_id, found.id), now)
        return response

    async def _decide(self, operator: Operator, code: str, smart_terminal_id: str, *, deny: bool) -> Response:
        if not code:
            return await self._choice(operator, code, "Please type the code that the terminal shows.", 400)
        if not self._codes.allow(operator.login_id, self._parts.clock.now()):
            return await self._choice(operator, code, "Too many attempts. Please wait a minute.", 429)
        chosen = next((one for one in await self._terminals(operator) if one.id == smart_terminal_id), None)
        if chosen is None and not deny:
            return await self._choice(operator, code, "Please choose which Smart Terminal this is.", 400)
        try:
            if chosen is None or deny:
                await self._parts.store.write(deny_pairing, self._parts.moment(), code)
                return draw("message.html", title="Denied", text="The terminal was turned away.", good=False)
            await self._parts.store.write(confirm_pairing, self._parts.moment(), operator.merchant_id, code, chosen.id)
        except NotFound:
            problem = "No terminal waits under this code. Codes are valid for 15 minutes."
            return await self._choice(operator, code, problem, 404)
        _log.info("a terminal was confirmed", terminal=chosen.id, login=operator.login_id)
        return draw("message.html", title="Paired", text=f"The terminal is now {chosen.nick_name}.", good=True)

    async def _choice(self, operator: Operator, code: str, problem: str = "", status: int = 200) -> Response:
        return draw("choice.html", status, code=code, problem=problem, terminals=await self._terminals(operator))

    async def _terminals(self, operator: Operator) -> list[SmartTerminal]:
        """The devices that can be paired: a virtual one runs inside the server and holds its token already."""
        now = self._parts.clock.now()
        found = await self._parts.store.read(list_smart_terminals, now, operator.merchant_id, 0, MOST_LISTED)
        return [terminal for terminal in found if not terminal.virtual]


def _to_page(code: str) -> RedirectResponse:
    query = f"?{urlencode({'user_code': code})}" if code else ""
    return RedirectResponse(PATH + query, 303, headers=HEADERS)


def _unavailable() -> Response:
    response = draw("message.html", 503, title="One moment", text="Please try again in a few seconds.", good=False)
    response.headers["Retry-After"] = "5"
    return response
