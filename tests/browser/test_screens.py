"""What every screen looks like, on a phone, a tablet and a desktop, in light and in dark. Leaves a picture of each."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE_MS, SIZES
from tests.browser.screens import ADDRESS, SCREENS, TERMS, wait_for
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
    "PRESENT_CARD keyed": "$999,999.99",
    "PRESENT_CARD chip": "$42.50",
    "KEYED_CARD": "Card number",
    "KEYED_CARD longest": "Check the number",
    "TIP": "Add a tip?",
    "TIP typed": "Add a tip?",
    "PROMPT network": "Debit or credit?",
    "SIGNATURE paid": "Please sign",
    "PROCESSING": "Please wait",
    "APPROVED": "Approved",
    "DECLINED": "Declined",
    "RECEIPT": "Receipt?",
    "RECEIPT none": "Receipt?",
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
    "PRESENT_CARD keyed": "Refund\nInsert, swipe or tap\nor press < to type the number",
    "PRESENT_CARD chip": "This card has a chip: please insert it",
    "KEYED_CARD": "•••• •••• •••• ••••",
    "KEYED_CARD longest": "•••• •••• •••• •••• •••",
    "TIP": "$42.50",
    "TIP typed": "$12,345.67",
    "RECEIPT": ADDRESS,
    "RECEIPT none": "Please ask for one at the counter",
    "PROCESSING": "Do not remove your card",
    "APPROVED": "$42.50",
    "DECLINED": "Please use another card",
}
BESIDE_THE_BENCH: Final = {"SWIPE_CARD", "SWIPE_AGAIN", "SIGNATURE", "PRESENT_CARD"}
"""Where axe looks at larger pages too: those have the same screens, with the bench beside them."""
ALARMING: Final = {"SWIPE_AGAIN", "CARD_NOT_SUPPORTED", "DECLINED"}


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    return "light" if request.param == "light" else "dark"


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(browser: Browser, stage: Stage, size: str, scheme: Literal["light", "dark"]) -> Generator[Page, None, None]:
    """One page for all screens of a size and scheme."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.goto(stage.url)
    yield opened
    context.close()


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_fits_and_can_be_read(stage: Stage, page: Page, name: str, size: str, scheme: str) -> None:
    stage.run(stage.terminal.reset)
    wait_for(page, "IDLE")
    stage.run(SCREENS[name], stage.terminal)
    wait_for(page, name.partition(" ")[0])
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


def axe(page: Page) -> list[list[object]]:
    """What axe finds, with the pieces of the page it is about. It is put into a page once; that takes longer than a run."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = "({ violations }) => violations.map((each) => [each.id, each.nodes.map((node) => node.html)])"
    return list(page.evaluate(f"() => axe.run({{ resultTypes: ['violations'] }}).then({found})"))
