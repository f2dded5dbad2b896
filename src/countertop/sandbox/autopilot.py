"""A customer who acts by itself on whatever a virtual terminal shows."""

from __future__ import annotations

from countertop.domain.clock import Clock
from countertop.gateway.seed import Autopilot
from countertop.protocol.screens import Screen
from countertop.sandbox.customer import key_named, sign, type_text
from countertop.terminal.agent import Agent
from countertop.terminal.view import View


async def fly(agent: Agent, autopilot: Autopilot, clock: Clock) -> None:
    """Acts once on each request, `after_ms` after it is shown, and again after each unreadable swipe. Runs until cancelled."""
    acted: tuple[str | None, int] = (None, 0)
    async for view in agent.watch():
        turn = (view.request_id, view.sound.count if view.sound else 0)
        asked_again = view.screen is Screen.SWIPE_AGAIN and turn != acted
        if view.request_id is None or (view.request_id == acted[0] and not asked_again):
            continue
        acted = turn
        await clock.sleep_until(clock.now() + autopilot.after_ms)
        if agent.view.request_id == view.request_id:
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
        case _ if autopilot.press is not None:
            agent.press(key_named(autopilot.press))
