"""How the page behaves: sounds, languages, movement, lost links, and the places it can stand in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from countertop.domain.order import ReadOrder
from tests.browser.conftest import Visit
from tests.browser.customer import GIFT, asks
from tests.browser.screens import SCREENS, wait_for
from tests.browser.stage import Stage
from tests.browser.test_screens import MEASURE, PICTURES, axe

pytestmark = pytest.mark.browser


def test_sounds_can_be_muted_and_that_is_remembered(stage: Stage, visit: Visit) -> None:
    page = visit("phone")
    heard = "() => { window.heard = []; document.addEventListener('countertop:sound', (event) => heard.push(event.detail)); }"
    page.evaluate(heard)
    asks(stage, page)
    page.keyboard.type(GIFT)
    page.keyboard.press("Enter")
    wait_for(page, "CARD_READ")
    assert page.evaluate("() => heard") == ["TAKEN"]
    sound = page.get_by_role("button", name="Sound")
    expect(sound).to_have_attribute("aria-pressed", "true")
    sound.click()
    page.reload()
    wait_for(page, "CARD_READ")
    page.evaluate(heard)
    expect(sound).to_have_attribute("aria-pressed", "false")
    asks(stage, page)
    page.keyboard.press("Escape")
    wait_for(page, "CANCELLED")
    assert page.evaluate("() => heard") == []
    sound.click()
    asks(stage, page)
    page.keyboard.type(";E?")
    page.keyboard.press("Enter")
    wait_for(page, "SWIPE_AGAIN")
    assert page.evaluate("() => heard") == ["KEY", "REFUSED"]


def test_the_language_is_switched_and_remembered(stage: Stage, visit: Visit) -> None:
    page = visit("phone")
    asks(stage, page)
    page.get_by_role("button", name="Español").click()
    expect(page.locator("#headline")).to_have_text("Deslice su tarjeta")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator("#online")).to_have_text("En línea")
    expect(page.get_by_role("button", name="Cancelar")).to_be_visible()
    stage.run(stage.terminal.reset)
    page.reload()
    expect(page.locator("#headline")).to_have_text("Bienvenido")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#headline")).to_have_text("Welcome")


def test_the_address_can_choose_the_language(visit: Visit) -> None:
    page = visit(query="?lang=es")
    expect(page.locator("#headline")).to_have_text("Bienvenido")
    expect(page.get_by_role("heading", name="Tarjetas de prueba")).to_be_visible()


def test_nothing_moves_for_those_who_want_it_still(stage: Stage, visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    stage.run(SCREENS["PROCESSING"], stage.terminal)
    wait_for(page, "PROCESSING")
    assert page.evaluate("() => document.getAnimations().length") == 0
    stage.run(stage.terminal.reset)
    asks(stage, page)
    assert page.evaluate("() => document.getAnimations().length") == 0
    page.get_by_role("button", name="Gift card").click()
    wait_for(page, "CARD_READ")


def test_movements_are_short(stage: Stage, visit: Visit) -> None:
    page = visit()
    asks(stage, page)
    durations = """() => [...document.querySelectorAll('.stage > *, .key')].flatMap((each) => each.getAnimations())
        .map((each) => each.effect.getTiming().duration)"""
    assert all(duration <= 200 for duration in page.evaluate(durations))


def test_a_lost_link_is_shown_and_comes_back(stage: Stage, visit: Visit) -> None:
    page = visit("phone", may_complain=True)  # the browser itself reports each link that it could not open
    asks(stage, page)
    stage.cut_links(stay_away=True)
    wait_for(page, "OFFLINE")
    expect(page.locator("#online")).to_have_text("Offline")
    expect(page.locator("#headline")).to_have_text("One moment, please")
    stage.let_in()
    wait_for(page, "SWIPE_CARD")
    page.get_by_role("button", name="Cancel").click()
    wait_for(page, "CANCELLED")


def test_a_terminal_without_its_gateway_says_so(stage: Stage, visit: Visit) -> None:
    page = visit("phone")
    stage.run(stage.terminal.cut)
    wait_for(page, "OFFLINE")
    expect(page.locator("#online")).to_have_text("Offline")


def test_an_unknown_terminal_is_told_from_a_lost_link(visit: Visit) -> None:
    page = visit("phone", path="/virtual-terminal/nobody", may_complain=True)
    expect(page.locator("#headline")).to_have_text("Unknown terminal")
    assert axe(page) == []


def test_the_sheet_of_cards_on_a_phone(stage: Stage, visit: Visit) -> None:
    page = visit("phone")
    asks(stage, page)
    expect(page.locator(".bench")).to_be_hidden()
    page.get_by_role("button", name="Test cards").click()
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".bench")).to_be_hidden()
    wait_for(page, "SWIPE_CARD")
    expect(page.get_by_role("button", name="Test cards")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Gift card").click()
    wait_for(page, "CARD_READ")
    expect(page.locator(".bench")).to_be_hidden()


@pytest.mark.parametrize(("query", "keys"), [("?kiosk", 0), ("?kiosk=touch", 13)])
def test_a_kiosk_is_all_display(stage: Stage, visit: Visit, query: str, keys: int) -> None:
    page = visit("tablet", query=query)
    asks(stage, page)
    expect(page.locator(".key:visible")).to_have_count(keys)
    expect(page.locator(".bench")).to_be_hidden()
    page.keyboard.press("Escape")
    wait_for(page, "CANCELLED")
    assert axe(page) == []


def test_a_terminal_on_a_counter_has_no_tray(stage: Stage, visit: Visit) -> None:
    page = visit(path="/")
    asks(stage, page)
    expect(page.locator(".bench")).to_have_count(0)
    assert axe(page) == []


def test_an_amount_stands_out_and_its_currency_is_small(stage: Stage, visit: Visit) -> None:
    page = visit()
    stage.run(SCREENS["PRESENT_CARD"], stage.terminal)
    wait_for(page, "PRESENT_CARD")
    expect(page.locator("#headline sup")).to_have_text("$")
    expect(page.locator("#headline")).to_have_css("font-variant-numeric", "tabular-nums")


def test_the_bar_runs_down(stage: Stage, visit: Visit) -> None:
    page = visit()
    stage.run(stage.terminal.order, ReadOrder(), 1_000)
    wait_for(page, "SWIPE_CARD")
    expect(page.locator("#deadline .left")).to_have_attribute("style", re.compile(r"scaleX\(0(\.0+)?\)"))


@pytest.mark.parametrize(
    "name",
    ["SWIPE_CARD", "INPUT", "PROMPT", "SIGNATURE", "TIP", "TIP typed", "PRESENT_CARD keyed", "KEYED_CARD longest", "RECEIPT"],
)
def test_a_phone_may_lie_on_its_side(stage: Stage, visit: Visit, name: str) -> None:
    page = visit("lying")
    stage.run(SCREENS[name], stage.terminal)
    wait_for(page, name.partition(" ")[0])
    page.screenshot(path=PICTURES / f"{name.replace(' ', '-')}.lying.light.png")
    measured = page.evaluate(MEASURE)
    assert (measured["scrolls"], measured["cut"]) == ([], [])
    assert measured["smallest"] >= 56
