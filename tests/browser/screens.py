"""How each screen is brought about, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import segno
from playwright.sync_api import Page

from countertop.domain.clock import MINUTE, SECOND
from countertop.domain.order import InputOrder, PromptOrder, ReadOrder, SignatureOrder
from countertop.terminal.machine import Machine
from countertop.terminal.view import Button, Key, Pairing
from tests.browser.stage import START, StagedTerminal

TERMS: Final = (
    "I agree to the rules of the Corner Books reading club. Books that are lent to me come back within four weeks and in the "
    "state in which I got them. What is lost or spoiled is paid for at the price of a new copy.\n\nMy name and address are kept "
    "for as long as I am a member and are given to nobody."
)
QR: Final = segno.make("https://pay.example/pair?code=WDJB-MJHT", error="m").svg_inline(border=4)


def _swipe_again(terminal: StagedTerminal) -> None:
    terminal.order(ReadOrder())
    terminal.swipe("%E?;E?")


def _not_supported(terminal: StagedTerminal) -> None:
    terminal.order(ReadOrder())
    terminal.swipe(";12=34?")


def _card_read(terminal: StagedTerminal) -> None:
    terminal.order(ReadOrder())
    terminal.swipe(";7090112233654321?")


def _cancelled(terminal: StagedTerminal) -> None:
    terminal.order(ReadOrder())
    terminal.press(Key.CANCEL)


def _typing(terminal: StagedTerminal) -> None:
    terminal.order(InputOrder("PHONE"))
    for digit in "805555":
        terminal.press(Key(digit))


def _signing(terminal: StagedTerminal) -> None:
    terminal.order(SignatureOrder(TERMS))
    wave = tuple(
        (100 + 8 * step, 200 + round(90 * ((step % 20) / 10 - 1) * (1 if step // 20 % 2 else -1))) for step in range(100)
    )
    terminal.draw((wave, ((650, 120), (760, 250), (900, 90))))


def _pairing(terminal: StagedTerminal) -> None:
    terminal.machine = Machine("stage/1")
    terminal.machine.pair(Pairing("WDJB-MJHT", "https://pay.example/pair", QR))
    terminal.settle()


def _tip(terminal: StagedTerminal) -> None:
    buttons = (Button(Key.BUTTON_1, "15 %"), Button(Key.BUTTON_2, "18 %"), Button(Key.BUTTON_3, "20 %"))
    terminal.pose(
        screen="TIP",
        headline="Add a tip?",
        lines=("$42.50",),
        buttons=buttons,
        keys=(*Key,),
        deadline=START + 30 * SECOND,
        allowed=MINUTE,
    )


def _receipt(terminal: StagedTerminal) -> None:
    buttons = (Button(Key.BUTTON_1, "E-mail"), Button(Key.BUTTON_2, "None"))
    terminal.pose(screen="RECEIPT", headline="Receipt?", buttons=buttons, lines=(), keys=(Key.BUTTON_1, Key.BUTTON_2, Key.CANCEL))


SCREENS: Final[dict[str, Callable[[StagedTerminal], None]]] = {
    "IDLE": lambda terminal: terminal.settle(),
    "SWIPE_CARD": lambda terminal: terminal.order(ReadOrder(), 40 * SECOND),
    "SWIPE_AGAIN": _swipe_again,
    "CARD_NOT_SUPPORTED": _not_supported,
    "CARD_READ": _card_read,
    "CANCELLED": _cancelled,
    "PROMPT": lambda terminal: terminal.order(PromptOrder("Would you like a bag?", ("Yes", "No"))),
    "PROMPT long": lambda terminal: terminal.order(PromptOrder(TERMS * 3, ("Agree", "Disagree", "Later"))),
    "INPUT": _typing,
    "SIGNATURE": _signing,
    "OFFLINE": lambda terminal: terminal.cut(),
    "PAIRING": _pairing,
    "PRESENT_CARD": lambda terminal: terminal.pose(
        screen="PRESENT_CARD",
        headline="$1,042.50",
        lines=("Insert, swipe or tap",),
        keys=(Key.CANCEL,),
        deadline=START + 30 * SECOND,
        allowed=MINUTE,
    ),
    "TIP": _tip,
    "PROCESSING": lambda terminal: terminal.pose(
        screen="PROCESSING", headline="Please wait", lines=("Do not remove your card",), keys=()
    ),
    "APPROVED": lambda terminal: terminal.pose(screen="APPROVED", headline="Approved", lines=("$42.50",), keys=()),
    "DECLINED": lambda terminal: terminal.pose(
        screen="DECLINED", headline="Declined", lines=("Please use another card",), keys=()
    ),
    "RECEIPT": _receipt,
}
"""Name of a picture → what brings it about. The payment screens are posed until the machine has acts for them."""


SETTLED: Final = """() => Promise.allSettled(
    document.getAnimations().filter((each) => each.effect.getTiming().iterations !== Infinity).map((each) => each.finished))"""


def wait_for(page: Page, screen: str) -> None:
    """Until a page shows a screen, and everything on it is in its place."""
    page.locator(f"html[data-view={screen}]").wait_for()
    page.evaluate(SETTLED)
