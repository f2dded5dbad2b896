"""A customer who acts by itself on whatever a virtual terminal shows."""

from __future__ import annotations

from typing import Final

from countertop.domain.card import Entry
from countertop.domain.clock import Clock
from countertop.gateway.seed import Autopilot
from countertop.protocol.screens import Screen
from countertop.sandbox.customer import key_named, present_card, sign, type_text
from countertop.terminal.agent import Agent
from countertop.terminal.view import Key, View
from countertop.terminal.words import WORDS

ASKING: Final = frozenset(
    {
        Screen.SWIPE_CARD,
        Screen.SWIPE_AGAIN,
        Screen.PROMPT,
        Screen.INPUT,
        Screen.SIGNATURE,
        Screen.TIP,
        Screen.PRESENT_CARD,
        Screen.RECEIPT,
    }
)
"""The screens that want something of a customer."""


async def fly(agent: Agent, autopilot: Autopilot, clock: Clock) -> None:
    """Acts once on each screen of a request, `after_ms` after it is shown, and again after each unreadable swipe.

    Runs until cancelled.
    """
    request_id: str | None = None
    acted: set[tuple[Screen, int]] = set()
    async for view in agent.watch():
        if view.request_id != request_id:
            request_id, acted = view.request_id, set()
        turn = (view.screen, view.sound.count if view.sound and view.screen is Screen.SWIPE_AGAIN else 0)
        if request_id is None or view.screen not in ASKING or turn in acted:
            continue
        acted.add(turn)
        await clock.sleep_until(clock.now() + autopilot.after_ms)
        if agent.view.request_id == request_id and agent.view.screen is view.screen:
            _act(agent, agent.view, autopilot)


def _act(agent: Agent, view: View, autopilot: Autopilot) -> None:
    """What this customer does on a screen, if anything."""
    match view.screen:
        case Screen.SWIPE_CARD | Screen.SWIPE_AGAIN if autopilot.swipe is not None:
            agent.swipe(autopilot.swipe)
        case Screen.INPUT if autopilot.type is not None:
            type_text(agent, autopilot.type)
        case Screen.SIGNATURE if autopilot.sign:
            sign(agent)
        case Screen.PRESENT_CARD if autopilot.card is not None:
            present_card(agent, autopilot.card, Entry.CHIP)
        case _ if autopilot.press is not None and autopilot.press in view.keys:
            agent.press(key_named(autopilot.press))
        case Screen.TIP | Screen.RECEIPT if autopilot.card is not None:
            # Whoever pays and says nothing of tips and receipts wants neither.
            agent.press(Key.ENTER if view.screen is Screen.TIP else Key.BUTTON_2)
        case Screen.PROMPT if autopilot.card is not None and (credit := _credit(view)) is not None:
            agent.press(credit)


def _credit(view: View) -> Key | None:
    """The button for credit, where a customer is asked for the network to pay over; None at any other prompt."""
    words = WORDS[view.language][Screen.PROMPT].more
    if view.headline != words["network"]:
        return None
    return next((button.key for button in view.buttons if button.label == words["credit"]), None)
