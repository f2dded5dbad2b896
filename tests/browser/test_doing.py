"""What a customer does at the page, and that the machine behind it gets it."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from countertop.domain.order import InputOrder, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Result, Signed
from tests.browser.conftest import Visit
from tests.browser.screens import SCREENS, TERMS, wait_for
from tests.browser.stage import Stage
from tests.browser.test_screens import axe

pytestmark = pytest.mark.browser

GIFT: Final = ";7090112233654321?"
MEMBER: Final = "%B924696827707852^?;924696827707852=?"
OWN: Final = ";600000331?"
PAYMENT: Final = ";4111111111111111=30121010000000000000?"
BAG: Final = PromptOrder("Would you like a bag?", ("Yes", "No"))


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
    stage.run(stage.terminal.order, ReadOrder())
    wait_for(page, "SWIPE_CARD")


# Swiping.


@pytest.mark.parametrize(("card", "read"), [("Gift card", GIFT), ("Membership card", MEMBER)])
def test_a_card_is_swiped_by_a_click(stage: Stage, visit: Visit, card: str, read: str) -> None:
    page = visit()
    asks(stage, page)
    page.get_by_role("button", name=card).click()
    wait_for(page, "CARD_READ")
    assert stripe(stage) == read
    expect(page.locator("#last")).to_contain_text("accepted")


@pytest.mark.parametrize(
    ("card", "screen", "words"),
    [
        ("Worn card", "SWIPE_AGAIN", "Last swipe: could not be read"),
        ("Bank card", "CARD_NOT_SUPPORTED", "Last swipe: not supported"),
    ],
)
def test_a_card_that_is_not_taken_leaves_the_reader_armed(stage: Stage, visit: Visit, card: str, screen: str, words: str) -> None:
    page = visit()
    asks(stage, page)
    page.get_by_role("button", name=card).click()
    wait_for(page, screen)
    expect(page.locator("#last")).to_have_text(words)
    page.get_by_role("button", name="Gift card").click()
    wait_for(page, "CARD_READ")


@pytest.mark.parametrize("direction", ["down", "up"])
def test_a_card_is_dragged_through_the_slot(stage: Stage, visit: Visit, direction: str) -> None:
    page = visit()
    asks(stage, page)
    slot, card = page.locator("#slot").bounding_box(), page.get_by_role("button", name="Gift card").bounding_box()
    assert slot is not None
    assert card is not None
    middle, ends = slot["x"] + slot["width"] / 2, [slot["y"] + 10, slot["y"] + slot["height"] - 10]
    begin, end = ends if direction == "down" else reversed(ends)
    page.mouse.move(card["x"] + 40, card["y"] + 40)
    page.mouse.down()
    page.mouse.move(middle, begin, steps=4)
    expect(page.locator("#slot")).to_have_class(re.compile("near"))
    page.mouse.move(middle, end, steps=6)
    wait_for(page, "CARD_READ")
    page.mouse.up()
    assert stripe(stage) == GIFT
    expect(page.locator(".ghost")).to_have_count(0)


def test_a_card_that_is_dropped_before_the_slot_is_not_swiped(stage: Stage, visit: Visit) -> None:
    page = visit()
    asks(stage, page)
    page.get_by_role("button", name="Gift card").drag_to(page.locator("#frames"), force=True)
    expect(page.locator(".ghost")).to_have_count(0)
    assert stage.run(lambda: stage.terminal.finished) == []


def test_a_stripe_of_ones_own_is_swiped_and_forgotten(stage: Stage, visit: Visit) -> None:
    page = visit()
    asks(stage, page)
    field = page.get_by_label("Your own stripe")
    field.fill(OWN)
    page.get_by_role("button", name="Swipe", exact=True).click()
    wait_for(page, "CARD_READ")
    assert stripe(stage) == OWN
    expect(field).to_have_value("")


@pytest.mark.parametrize("ended_by", ["enter", "silence"])
def test_a_wedge_reader_types_a_stripe(stage: Stage, visit: Visit, ended_by: str) -> None:
    page = visit()
    asks(stage, page)
    page.keyboard.type(MEMBER)
    if ended_by == "enter":
        page.keyboard.press("Enter")
    wait_for(page, "CARD_READ")
    assert stripe(stage) == MEMBER


def test_a_stripe_that_a_reader_types_is_not_taken_for_keys(stage: Stage, visit: Visit) -> None:
    page = visit()
    stage.run(stage.terminal.order, InputOrder("PHONE"))
    wait_for(page, "INPUT")
    page.keyboard.type("80")
    page.keyboard.type(GIFT)
    page.keyboard.press("Enter")
    page.keyboard.type("5")
    expect(page.locator("#second")).to_have_text("805")


def test_no_digit_of_a_swiped_card_stays_in_the_page(stage: Stage, visit: Visit) -> None:
    said: list[str] = []
    page = visit()
    page.on("console", lambda message: said.append(message.text))
    for swiped in (GIFT, MEMBER, PAYMENT):
        asks(stage, page)
        page.keyboard.type(swiped)
        page.keyboard.press("Enter")
        page.locator("html:not([data-view=SWIPE_CARD])").wait_for()
        page.get_by_label("Your own stripe").fill(swiped)
        page.get_by_label("Your own stripe").press("Enter")
        stage.run(stage.terminal.reset)
        wait_for(page, "IDLE")
    page.get_by_role("button", name="Bank card").click()
    stores = page.evaluate(
        "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"
    )
    fields = page.evaluate("() => [...document.querySelectorAll('input')].map((each) => each.value).join(' ')")
    everything = " ".join([page.content(), stores, fields, *said])
    assert [run for run in ("709011223", "365432", "92469682", "7707852", "41111111", "3012101") if run in everything] == []
    assert page.locator("#frames li").count() > 0


# Keys.


@pytest.mark.parametrize("by", ["click", "keyboard"])
def test_the_red_key_ends_a_read_without_a_result(stage: Stage, visit: Visit, by: str) -> None:
    page = visit("phone")
    asks(stage, page)
    if by == "click":
        page.get_by_role("button", name="Cancel").click()
    else:
        page.keyboard.press("Escape")
    wait_for(page, "CANCELLED")
    assert ending(stage) == (Outcome.CUSTOMER_CANCELLED, None)


def test_a_phone_number_is_typed_with_both_kinds_of_keys(stage: Stage, visit: Visit) -> None:
    page = visit("tablet")
    stage.run(stage.terminal.order, InputOrder("PHONE"))
    wait_for(page, "INPUT")
    for digit in "8055":
        page.get_by_role("button", name=digit, exact=True).click()
    page.keyboard.type("551239")
    expect(page.locator("#second")).to_have_text("(805) 555-1239")
    page.get_by_role("button", name="Clear").click()
    page.keyboard.type("5")
    page.keyboard.press("Backspace")
    page.keyboard.type("4")
    expect(page.get_by_role("button", name="Enter")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("Enter")
    wait_for(page, "IDLE")
    assert ending(stage) == (Outcome.INPUT_ENTERED, InputEntered("8055551234"))


@pytest.mark.parametrize("by", ["click", "letter", "focus"])
def test_a_choice_is_made(stage: Stage, visit: Visit, by: str) -> None:
    page = visit("phone")
    stage.run(stage.terminal.order, BAG)
    wait_for(page, "PROMPT")
    if by == "click":
        page.get_by_role("button", name="No", exact=True).click()
    elif by == "letter":
        page.keyboard.press("n")
    else:
        page.get_by_role("button", name="No", exact=True).focus()
        page.keyboard.press("Enter")
    wait_for(page, "IDLE")
    assert ending(stage) == (Outcome.BUTTON_PRESSED, ButtonPressed("No"))


def test_every_key_has_a_name_and_those_that_act_say_so(stage: Stage, visit: Visit) -> None:
    page = visit()
    asks(stage, page)
    names = [*"1234567890", "Cancel", "Clear", "Enter"]
    assert [page.get_by_role("button", name=name, exact=True).count() for name in names] == [1] * len(names)
    acting = page.locator(".key[aria-disabled=false]")
    expect(acting).to_have_count(1)
    expect(acting).to_have_accessible_name("Cancel")


def test_the_focus_can_be_seen_and_a_touched_key_does_not_keep_it(stage: Stage, visit: Visit) -> None:
    page = visit()
    asks(stage, page)
    page.keyboard.press("Tab")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 3
    focused = page.evaluate("() => document.activeElement.outerHTML")
    page.get_by_role("button", name="5", exact=True).click(force=True)
    assert page.evaluate("() => document.activeElement.outerHTML") == focused


# Signing.


def test_a_signature_is_drawn_cleared_and_drawn_again(stage: Stage, visit: Visit) -> None:
    page = visit("tablet", has_touch=True)
    stage.run(stage.terminal.order, SignatureOrder(TERMS))
    wait_for(page, "SIGNATURE")
    pad = page.locator("#pad")
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5, steps=8)
    page.mouse.up()
    expect(pad).to_have_accessible_name(re.compile("signed"))
    page.get_by_role("button", name="Clear").click()
    expect(pad).to_have_accessible_name(re.compile("empty"))
    page.touchscreen.tap(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(pad).to_have_accessible_name(re.compile("signed"))
    page.keyboard.press("Enter")
    wait_for(page, "IDLE")
    outcome, result = ending(stage)
    assert outcome is Outcome.SIGNED
    assert isinstance(result, Signed)
    (((x, y),),) = result.strokes
    assert (abs(x - 500) < 10, abs(y - 200) < 10) == (True, True)


def test_a_stroke_is_taken_in_the_terminals_units(stage: Stage, visit: Visit) -> None:
    page = visit("desktop")
    stage.run(stage.terminal.order, SignatureOrder(TERMS))
    wait_for(page, "SIGNATURE")
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * box["width"], box["y"] + 2 * box["height"], steps=20)
    page.mouse.up()
    expect(page.locator("#pad")).to_have_accessible_name(re.compile("signed"))
    (stroke,) = stage.run(lambda: stage.terminal.machine.view.strokes) or ()
    assert len(stroke) > 2
    assert stroke[-1] == (1000, 400)
    assert all(0 <= x <= 1000 and 0 <= y <= 400 for x, y in stroke)


# Sound, language, movement.


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


# When there is nothing to talk to.


def test_a_lost_link_is_shown_and_comes_back(stage: Stage, visit: Visit) -> None:
    page = visit("phone")
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


# Other places.


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
    ("typed", "read"),
    [
        ([("Digit5", "%", True), ("KeyB", "B", True), ("Slash", "_", True)], "%B?"),  # a German keyboard
        ([("Digit5", "%", True), ("KeyB", "b", True)], "%B"),  # with capitals locked
        ([("Semicolon", "ö", False), ("Digit0", "}", True), ("Digit1", "1", False)], ";)1"),
        ([("Semicolon", "m", False), ("KeyQ", "a", False)], ";q"),  # a French one
    ],
)
def test_a_reader_is_understood_whatever_layout_the_computer_has(
    visit: Visit, typed: list[tuple[str, str, bool]], read: str
) -> None:
    page = visit()
    keys = [
        {"code": code, "key": key, "shiftKey": shift, "modifierCapsLock": key.islower() and shift} for code, key, shift in typed
    ]
    said = page.evaluate(
        """async (keys) => {
            const { character } = await import("/virtual-terminal/static/wedge.js");
            return keys.map((key) => character(new KeyboardEvent("keydown", key))).join("");
        }""",
        keys,
    )
    assert said == read
