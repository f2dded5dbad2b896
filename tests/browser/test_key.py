"""Keys, choices and the pad: by mouse, finger and keyboard."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from countertop.domain.order import InputOrder, PromptOrder, SignatureOrder
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, InputEntered, Signed
from tests.browser.conftest import Visit
from tests.browser.customer import asks, ending
from tests.browser.screens import TERMS, wait_for
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


BAG: Final = PromptOrder("Would you like a bag?", ("Yes", "No"))


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
