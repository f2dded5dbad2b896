"""Paying at the page: cards of the tray by every way, a typed card, tip, signature, receipt. Nothing of a card stays."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from countertop.domain.card import Entry
from countertop.domain.order import ReadOrder
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.protocol.frames import CardTaken
from countertop.sandbox.customer import CODE, EXPIRY
from tests.browser.conftest import Visit
from tests.browser.customer import ending
from tests.browser.screens import ADDRESS, SCREENS, wait_for
from tests.browser.stage import Stage
from tests.browser.test_screens import MEASURE, PICTURES
from tests.unit.counter import CHIP_STRIPE, NUMBER, opened, order

pytestmark = pytest.mark.browser


def pays(stage: Stage, page: Page, screen: str = "PRESENT_CARD", **changes: object) -> None:
    """The terminal asks for a payment, and the page shows it."""
    stage.run(stage.terminal.order, order(**changes))
    wait_for(page, screen)


def card(stage: Stage) -> CardTaken:
    """The card that the terminal has taken."""
    (taken,) = stage.run(lambda: stage.terminal.taken)
    return taken


@pytest.mark.parametrize("entry", [Entry.CHIP, Entry.TAP])
def test_a_card_of_the_tray_is_inserted_or_tapped(stage: Stage, visit: Visit, entry: Entry) -> None:
    page = visit()
    pays(stage, page)
    if entry is Entry.TAP:
        page.get_by_role("radio", name="Tap").check(force=True)
    page.get_by_role("button", name="Credit card").click()
    wait_for(page, "PROCESSING")
    assert card(stage).entry is entry
    expect(page.locator("#last")).to_have_text("Last swipe: taken for the payment")
    stage.run(stage.terminal.decide)
    wait_for(page, "APPROVED")
    assert ending(stage) == (Outcome.APPROVED, Paid(71))


def test_a_card_with_a_chip_is_not_swiped_and_one_without_is(stage: Stage, visit: Visit) -> None:
    page = visit()
    pays(stage, page)
    page.get_by_role("button", name="Card without a chip").click()
    wait_for(page, "SWIPE_AGAIN")
    page.get_by_role("radio", name="Swipe").check(force=True)
    page.get_by_role("button", name="Credit card").click()
    expect(page.locator("#second")).to_have_text("This card has a chip: please insert it")
    expect(page.locator("#last")).to_have_text("Last swipe: has a chip, is to be inserted")
    page.get_by_role("button", name="Card without a chip").click()
    wait_for(page, "PROCESSING")
    assert card(stage).entry is Entry.SWIPE


def test_the_tray_has_the_cards_that_are_asked_for(stage: Stage, visit: Visit) -> None:
    page = visit(query="?lang=es")
    cards = page.locator("#card-list .card:visible strong")
    gifts = ["Tarjeta de regalo", "Tarjeta de socio", "Tarjeta gastada", "Tarjeta bancaria"]
    payments = ["Tarjeta de crédito", "Tarjeta sin fondos", "Tarjeta sin chip", "Tarjeta gastada"]
    expect(cards).to_have_text(gifts)
    pays(stage, page, "TIP", allow_tips=True)
    expect(cards).to_have_text(payments)
    page.get_by_role("button", name="Cancelar").click()
    wait_for(page, "CANCELLED")
    expect(cards).to_have_text(gifts)
    pays(stage, page)
    page.get_by_role("button", name="Tarjeta gastada").click()
    page.get_by_role("radio", name="Deslizar").check(force=True)
    page.get_by_role("button", name="Tarjeta gastada").click()
    wait_for(page, "SWIPE_AGAIN")
    expect(cards).to_have_text(payments)
    stage.run(stage.terminal.order, ReadOrder())
    wait_for(page, "SWIPE_CARD")
    expect(cards).to_have_text(gifts)


def test_a_card_is_typed_and_never_in_the_page(stage: Stage, visit: Visit) -> None:
    page = visit("phone")
    page.evaluate(
        """() => {
            window.seen = "";
            new MutationObserver(() => { window.seen += document.documentElement.outerHTML; })
                .observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
        }"""
    )
    pays(stage, page, keyed=True)
    page.get_by_role("button", name="Clear").click()
    wait_for(page, "KEYED_CARD")
    for digit in NUMBER[:4]:
        page.get_by_role("button", name=digit, exact=True).click()
    page.keyboard.type(NUMBER[4:])
    expect(page.locator("#second")).to_have_text("•••• •••• •••• ••••")
    page.keyboard.press("Enter")
    for text in (f"{EXPIRY.month:02d}{EXPIRY.year % 100}", CODE):
        expect(page.locator("#second")).to_have_text("")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    wait_for(page, "PROCESSING")
    taken = opened(card(stage))
    assert (taken.number, taken.expiry, taken.cvv, taken.entry) == (NUMBER, EXPIRY, CODE, Entry.KEYED)
    seen = page.evaluate("() => window.seen + JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert seen
    assert [run for run in (NUMBER, NUMBER[:8], NUMBER[4:10], NUMBER[-4:], "4012 8888") if run in seen] == []


def test_a_tip_a_signature_and_a_receipt(stage: Stage, visit: Visit) -> None:
    page = visit("tablet")
    prompts = {"allow_tips": True, "show_signature_prompt": True, "show_receipt_prompt": True, "receipt_email": ADDRESS}
    pays(stage, page, "TIP", **prompts)
    expect(page.get_by_role("button", name="18 % $180.00")).to_be_visible()
    page.keyboard.type("5")
    page.get_by_role("button", name="5", exact=True).click()
    page.keyboard.type("0")
    expect(page.locator("#second")).to_have_text("$5.50")
    page.keyboard.press("Enter")
    expect(page.locator("#headline")).to_have_text("$1,048.00")
    page.get_by_role("button", name="Test cards").click()
    page.get_by_role("button", name="Credit card").click()
    wait_for(page, "PROCESSING")
    stage.run(stage.terminal.decide)
    wait_for(page, "APPROVED")
    stage.run(stage.terminal.advance, 2_000)
    wait_for(page, "SIGNATURE")
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Enter").click()
    wait_for(page, "RECEIPT")
    expect(page.locator("#second")).to_have_text(ADDRESS)
    page.get_by_role("button", name="E-mail").click()
    wait_for(page, "IDLE")
    outcome, result = ending(stage)
    assert outcome is Outcome.APPROVED
    assert isinstance(result, Paid)
    assert (result.receipt_email, bool(result.strokes)) == (ADDRESS, True)
    assert card(stage).tip == 550


PAYMENT_SCREENS = [name for name in SCREENS if name.split()[0] in {"TIP", "PRESENT_CARD", "KEYED_CARD", "RECEIPT", "DECLINED"}]


def test_the_words_fit_in_spanish_too(stage: Stage, visit: Visit) -> None:
    page = visit("phone", query="?lang=es")
    for name in [*PAYMENT_SCREENS, "PROMPT network", "SIGNATURE paid"]:
        stage.run(stage.terminal.reset)
        stage.run(stage.terminal.speak, "es")
        stage.run(SCREENS[name], stage.terminal)
        wait_for(page, name.partition(" ")[0])
        page.screenshot(path=PICTURES / f"{name.replace(' ', '-')}.phone.es.png")
        measured = page.evaluate(MEASURE)
        assert (name, measured["scrolls"], measured["cut"]) == (name, [], [])
        assert (name, measured["headlineLines"] <= 2, measured["smallest"] >= 56) == (name, True, True)


def test_a_wedge_readers_payment_card_leaves_nothing_in_the_page(stage: Stage, visit: Visit) -> None:
    page = visit()
    pays(stage, page)
    page.keyboard.type(CHIP_STRIPE)
    page.keyboard.press("Enter")
    expect(page.locator("#second")).to_have_text("This card has a chip: please insert it")
    assert NUMBER not in page.content()
