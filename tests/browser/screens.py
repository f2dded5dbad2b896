"""How each screen is brought about, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import segno
from playwright.sync_api import Page

from countertop.domain.amount import Amounts
from countertop.domain.clock import SECOND
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.order import InputOrder, PromptOrder, ReadOrder, SignatureOrder
from countertop.terminal.machine import Machine
from countertop.terminal.payment.ending import APPROVED_STAYS
from countertop.terminal.view import Key, Pairing
from tests.browser.stage import StagedTerminal
from tests.unit.counter import CHIP, CHIP_STRIPE, NUMBER, order

TERMS: Final = (
    "I agree to the rules of the Corner Books reading club. Books that are lent to me come back within four weeks and in the "
    "state in which I got them. What is lost or spoiled is paid for at the price of a new copy.\n\nMy name and address are kept "
    "for as long as I am a member and are given to nobody."
)
ADDRESS: Final = "margarethe.von.brandenburg-ansbach@bookclub.example.com"
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


def _pay(terminal: StagedTerminal, amount: Cents = 42_50, **changes: Any) -> None:
    terminal.order(order(amounts=Amounts(amount), **changes), 30 * SECOND)


def _present(terminal: StagedTerminal, **changes: Any) -> None:
    _pay(terminal, **changes)
    terminal.present(CHIP)


def _decided(terminal: StagedTerminal, *, approved: bool = True, **changes: Any) -> None:
    _present(terminal, **changes)
    terminal.decide(approved=approved)


def _after_approval(terminal: StagedTerminal, **changes: Any) -> None:
    _decided(terminal, **changes)
    terminal.advance(APPROVED_STAYS)


def _key_in(terminal: StagedTerminal, digits: str) -> None:
    _pay(terminal, keyed=True)
    for key in (Key.CLEAR, *map(Key, digits)):
        terminal.press(key)


def _tip_typed(terminal: StagedTerminal) -> None:
    _pay(terminal, allow_tips=True)
    for digit in "1234567":
        terminal.press(Key(digit))


def _chip_swiped(terminal: StagedTerminal) -> None:
    _pay(terminal)
    terminal.swipe(CHIP_STRIPE)


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
    "TIP": lambda terminal: _pay(terminal, allow_tips=True),
    "TIP typed": _tip_typed,
    "PROMPT network": lambda terminal: _pay(terminal, debit_credit_prompt=True),
    "PRESENT_CARD": lambda terminal: _pay(terminal, 1_042_50),
    "PRESENT_CARD keyed": lambda terminal: _pay(terminal, 999_999_99, keyed=True, action=Action.REFUND),
    "PRESENT_CARD chip": _chip_swiped,
    "KEYED_CARD": lambda terminal: _key_in(terminal, NUMBER),
    "KEYED_CARD longest": lambda terminal: _key_in(terminal, NUMBER[:-1] + "2999"),
    "PROCESSING": _present,
    "APPROVED": _decided,
    "DECLINED": lambda terminal: _decided(terminal, approved=False),
    "SIGNATURE paid": lambda terminal: _after_approval(terminal, show_signature_prompt=True),
    "RECEIPT": lambda terminal: _after_approval(terminal, show_receipt_prompt=True, receipt_email=ADDRESS),
    "RECEIPT none": lambda terminal: _after_approval(terminal, show_receipt_prompt=True),
}
"""Name of a picture → what brings it about."""


SETTLED: Final = """() => Promise.allSettled(
    document.getAnimations().filter((each) => each.effect.getTiming().iterations !== Infinity).map((each) => each.finished))"""


def wait_for(page: Page, screen: str) -> None:
    """Until a page shows a screen, and everything on it is in its place."""
    # Looked at each frame: a locator looks again after 20, 70, 170 and 270 ms, which is most of what these tests would take.
    page.wait_for_function("screen => document.documentElement.dataset.view === screen", arg=screen)
    page.evaluate(SETTLED)


def wait_for_other(page: Page, screen: str) -> None:
    """Until a page shows anything but a screen."""
    page.wait_for_function("screen => document.documentElement.dataset.view !== screen", arg=screen)
