"""What every screen looks like, on a phone, a tablet and a desktop, in light and in dark. Leaves a picture of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import SIZES
from tests.browser.screens import SCREENS, TERMS, wait_for
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

PICTURES: Final = Path(__file__).parents[2] / "test-results" / "screens"
MEASURE: Final = (Path(__file__).parent / "measure.js").read_text("utf-8")

HEADLINES: Final = {
    "IDLE": "Welcome",
    "SWIPE_CARD": "Please swipe your card",
    "SWIPE_AGAIN": "Please swipe again",
    "CARD_NOT_SUPPORTED": "Card not supported",
    "CARD_READ": "Thank you",
    "CANCELLED": "Cancelled",
    "PROMPT": "Would you like a bag?",
    "INPUT": "Your phone number",
    "SIGNATURE": "Please sign",
    "OFFLINE": "One moment, please",
    "PAIRING": "WDJB-MJHT",
    "PRESENT_CARD": "$1,042.50",
    "TIP": "Add a tip?",
    "PROCESSING": "Please wait",
    "APPROVED": "Approved",
    "DECLINED": "Declined",
    "RECEIPT": "Receipt?",
}
SECONDS: Final = {
    "IDLE": "Corner Books",
    "SWIPE_CARD": "Gift or membership card",
    "SWIPE_AGAIN": "We could not read the card",
    "CARD_NOT_SUPPORTED": "Please use another card",
    "CARD_READ": "You may put your card away",
    "INPUT": "(805) 555",
    "OFFLINE": "Connecting",
    "PAIRING": "Confirm this code in the console",
    "PRESENT_CARD": "Insert, swipe or tap",
    "TIP": "$42.50",
    "PROCESSING": "Do not remove your card",
    "APPROVED": "$42.50",
    "DECLINED": "Please use another card",
}
BESIDE_THE_BENCH: Final = {"SWIPE_CARD", "SWIPE_AGAIN", "SIGNATURE"}
"""Where axe looks at larger pages too: those have the same screens, with the bench beside them."""
ALARMING: Final = {"SWIPE_AGAIN", "CARD_NOT_SUPPORTED", "DECLINED"}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SCREENS)
def shown(
    request: pytest.FixtureRequest, stage: Stage, gallery: Callable[[str, str], Page], size: str, scheme: str
) -> tuple[str, Page]:
    """A page that shows a screen, and the name of its picture."""
    name = str(request.param)
    page = gallery(size, scheme)
    stage.run(stage.terminal.reset)
    wait_for(page, "IDLE")
    stage.run(SCREENS[name], stage.terminal)
    wait_for(page, name.partition(" ")[0])
    return name, page


def test_a_screen_fits_and_can_be_read(shown: tuple[str, Page], size: str, scheme: str) -> None:
    name, page = shown
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name.replace(' ', '-')}.{size}.{scheme}.png")
    measured: dict[str, Any] = page.evaluate(MEASURE)
    assert page.locator("#headline").inner_text() == HEADLINES.get(name, TERMS * 3)
    assert page.locator("#second").text_content() == SECONDS.get(name, "")
    assert page.locator("#say").get_attribute("aria-live") == ("assertive" if name in ALARMING else "polite")
    assert measured["headlineLines"] <= 2 or name not in HEADLINES
    assert measured["headlineSize"] >= 36 or name not in HEADLINES
    assert (measured["scrolls"], measured["cut"]) == ([], [])
    assert (measured["smallest"] >= 56, measured["nearest"] >= 8) == (True, True)
    assert (measured["text"], measured["glyphs"]) == ([], [])
    if size == "phone" or name in BESIDE_THE_BENCH:
        assert axe(page) == []


def axe(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds, with the pieces of the page it is about. It is put into a page once; that takes longer than a run."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
