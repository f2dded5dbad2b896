"""What a test asks of the staged terminal on a customer's behalf."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

from countertop.domain.order import ReadOrder
from countertop.domain.request import Outcome
from countertop.domain.result import CardRead, Result
from tests.browser.screens import wait_for
from tests.browser.stage import Stage

GIFT: Final = ";7090112233654321?"
MEMBER: Final = "%B924696827707852^?;924696827707852=?"


def ending(stage: Stage) -> tuple[Outcome, Result | None]:
    """How the last request ended."""
    finished = stage.run(lambda: stage.terminal.finished)
    assert len(finished) == 1
    return finished[0].outcome, finished[0].result


def stripe(stage: Stage) -> str:
    """What was read."""
    outcome, result = ending(stage)
    assert outcome is Outcome.CARD_READ
    assert isinstance(result, CardRead)
    return result.stripe


def asks(stage: Stage, page: Page) -> None:
    """The terminal asks for a card, and the page shows it."""
    stage.run(stage.terminal.order, ReadOrder())
    wait_for(page, "SWIPE_CARD")
