"""Cards: clicked, dragged, typed by a reader. Whatever is swiped, the page keeps nothing of it."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from countertop.domain.order import InputOrder
from tests.browser.conftest import Visit
from tests.browser.customer import GIFT, MEMBER, asks, stripe
from tests.browser.screens import wait_for, wait_for_other
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


OWN: Final = ";600000331?"
PAYMENT: Final = ";4111111111111111=30121010000000000000?"


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
        wait_for_other(page, "SWIPE_CARD")
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


def test_a_card_that_nobody_asked_for_is_not_read(stage: Stage, visit: Visit) -> None:
    page = visit()
    expect(page.locator("#last")).to_have_text("Last swipe: none yet")
    page.get_by_role("button", name="Gift card").click()
    expect(page.locator("#last")).to_have_text("The terminal is not asking for a card now.")
    asks(stage, page)
    expect(page.locator("#last")).to_have_text("Last swipe: none yet")
