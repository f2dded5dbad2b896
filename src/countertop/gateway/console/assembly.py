"""The console, put together."""

from __future__ import annotations

from starlette.routing import BaseRoute

from countertop.gateway.console.pairing import PairingPage
from countertop.gateway.console.parts import Parts


def make_console(parts: Parts) -> list[BaseRoute]:
    """The console's routes."""
    return PairingPage(parts).routes()
