"""A Smart Terminal, the device on the counter."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from countertop.domain.clock import Instant
from countertop.domain.releases import OUTCOMES, Release
from countertop.gateway.wire.instant import to_the_second


class SmartTerminalBody(TypedDict):
    """The last three since release 2026-12-01; `lastSeen` and `screen` once it was connected."""

    smartTerminalId: str
    serialNumber: str
    nickName: str
    created: str
    online: NotRequired[bool]
    screen: NotRequired[str]
    lastSeen: NotRequired[str]


def smart_terminal_body(
    release: Release,
    *,
    smart_terminal_id: str,
    serial_number: str,
    nick_name: str,
    created: Instant,
    online: bool,
    screen: str | None,
    last_seen: Instant | None,
) -> SmartTerminalBody:
    """The shape that a release gives it."""
    body: SmartTerminalBody = {
        "smartTerminalId": smart_terminal_id,
        "serialNumber": serial_number,
        "nickName": nick_name,
        "created": to_the_second(created),
    }
    if release >= OUTCOMES:
        body["online"] = online
        if screen is not None:
            body["screen"] = screen
        if last_seen is not None:
            body["lastSeen"] = to_the_second(last_seen)
    return body
