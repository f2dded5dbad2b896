"""The page on which a mailed receipt is signed, in a real browser."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page, expect

from countertop.testing.caller import Form
from countertop.testing.server import RunningServer, run_server
from tests.browser.test_screens import PICTURES, axe

CARD: Form = {"cardNumber": "4444333322221111", "cardExpMonth": "12", "cardExpYear": "2030", "terminalId": 1}


def invited(server: RunningServer, amount: str) -> tuple[int, str]:
    """A transaction and the address to sign it at."""
    number = server.caller.post("/transactions", {**CARD, "amountBase": amount}).json["transactionId"]
    form = {"to": "jane@customer.example", "replyTo": "shop@corner.example"}
    assert server.caller.post(f"/transactions/{number}/receipts/latest/email", form).status == 204
    found = re.search(r"http\S+/sign/\S+", server.caller.get("/test/mails").json["results"][0]["text"])
    assert found is not None
    return number, found[0]


def draw(page: Page, *places: tuple[float, float]) -> None:
    """One stroke; places are parts of the pad's width and height."""
    box = page.locator("canvas").bounding_box()
    assert box is not None
    for at, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if at == 0:
            page.mouse.down()
    page.mouse.up()


SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def test_the_page_can_be_read(browser: Browser, tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with run_server(tmp_path) as server:
        _, address = invited(server, "12.50")
        for scheme, wide in product(SCHEMES, (360, 1280)):
            context = browser.new_context(viewport={"width": wide, "height": 800}, color_scheme=scheme)
            page = context.new_page()
            page.goto(address)
            assert axe(page) == []
            draw(page, (0.2, 0.5), (0.5, 0.2), (0.8, 0.7))
            assert axe(page) == []
            page.screenshot(path=PICTURES / f"sign.{wide}.{scheme}.png")
            context.close()


def test_a_receipt_is_signed_on_the_page(browser: Browser, tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        number, address = invited(server, "12.50")
        complaints: list[str] = []
        context = browser.new_context(viewport={"width": 360, "height": 640})
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        expect(page.get_by_role("heading")).to_have_text(re.compile("."))
        expect(page.get_by_text("I agree to pay $12.50. Please sign:")).to_be_visible()
        button = page.get_by_role("button", name="Sign", exact=True)
        expect(button).to_be_disabled()
        draw(page, (0.1, 0.1), (0.2, 0.2))
        page.get_by_role("button", name="Clear").click()
        expect(button).to_be_disabled()
        draw(page, (0.2, 0.5), (0.5, 0.2), (0.8, 0.7))
        page.get_by_label("Your name").fill("Jane Doe")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it fits on a phone"
        button.click()
        expect(page.get_by_role("heading")).to_have_text("Thank you")
        assert axe(page) == []
        context.close()
        receipt = server.caller.get(f"/transactions/{number}/receipts/latest").json
        assert receipt["signature"]["signedBy"]["name"] == "Jane Doe"
        assert server.caller.get(f"/transactions/{number}/receipts/latest/signature").body.startswith(b"\x89PNG")
        assert complaints == []
