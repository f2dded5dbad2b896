"""A virtual terminal as a test operates it: what it shows, and a customer's hands."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from countertop.testing.caller import Caller, Reply

WAIT_S: Final = 10.0
LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Shown:
    """What a terminal shows: `screen` is a name of `countertop.protocol.screens.Screen`, `lines` from the headline down."""

    screen: str
    lines: tuple[str, ...]
    buttons: tuple[str, ...]
    online: bool
    request_id: str | None


class VirtualTerminal:
    """One virtual terminal of a test server. An act returns what is shown after it; one that is refused is an AssertionError."""

    def __init__(self, caller: Caller, smart_terminal_id: str) -> None:
        self.id = smart_terminal_id
        self._caller = caller
        self._path = f"/test/smartterminals/{smart_terminal_id}"

    def screen(self) -> Shown:
        """What is shown now."""
        return _shown(self._caller.get(f"{self._path}/screen"))

    def until(self, *screens: str, within_s: float = WAIT_S) -> Shown:
        """Waits until one of these screens is shown. Raises TimeoutError."""
        return self._until(screens, within_s)

    def swipe(self, stripe: str) -> Shown:
        """A card through the slot; `stripe` is what a reader would type, sentinels included."""
        return self._act("swipe", stripe=stripe)

    def press(self, key: str) -> Shown:
        """A key: CANCEL, CLEAR, ENTER, 0–9, BUTTON_1–BUTTON_4."""
        return self._act("press", key=key)

    def type(self, text: str) -> Shown:
        """The keys of a text, then ENTER."""
        return self._act("type", text=text)

    def sign(self) -> Shown:
        """Somebody's signature, then ENTER."""
        return self._act("sign")

    def card(self, number: str, entry: str = "CHIP") -> Shown:
        """A payment card: inserted, or with another `entry` tapped (TAP), swiped (SWIPE) or typed (KEYED)."""
        return self._act("card", number=number, entry=entry)

    def unplug(self) -> Shown:
        """Cuts the connection until `plug`."""
        return self._act("unplug")

    def plug(self) -> Shown:
        """Lets the terminal connect again, and waits for it."""
        return self._act("plug")

    def _act(self, name: str, **form: str) -> Shown:
        return _shown(self._caller.post(f"{self._path}/{name}", form))

    def _until(self, screens: Collection[str], within_s: float) -> Shown:
        end = time.monotonic() + within_s
        while (shown := self.screen()).screen not in screens:
            if time.monotonic() > end:
                raise TimeoutError(f"the terminal shows {shown.screen}, not {' or '.join(screens)}")
            time.sleep(LOOK_S)
        return shown


def _shown(reply: Reply) -> Shown:
    if reply.status != 200:
        raise AssertionError(f"status {reply.status}: {reply.body.decode(errors='replace')}")
    body: dict[str, Any] = reply.json
    return Shown(body["screen"], tuple(body["lines"]), tuple(body["buttons"]), body["online"], body.get("requestId"))
