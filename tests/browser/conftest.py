"""One stage for all tests of the page, a browser for each module; a page for each size and scheme, opened once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.screens import wait_for_other
from tests.browser.stage import Stage

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES: Final = {"phone": (360, 640), "tablet": (768, 1024), "desktop": (1280, 800)}
PATIENCE_MS: Final = 20_000
"""For everything that a page does at once, on a machine that is busy."""
LYING: Final = (740, 360)
"""A phone on its side."""

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def stage() -> Generator[Stage, None, None]:
    with Stage() as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(chromium: str) -> Generator[Browser, None, None]:
    """For one module: while it is open, Playwright's event loop runs in this thread, and no asynchronous test can."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Generator[Visit, None, None]:
    """Opens a page of its own on a terminal that has just been welcomed; fails the test if the page complains of anything."""
    stage.run(stage.terminal.reset)
    contexts = []
    complaints: list[str] = []

    def open_page(
        size: str = "desktop", *, path: str | None = None, query: str = "", may_complain: bool = False, **options: Any
    ) -> Page:
        width, height = SIZES.get(size, LYING)
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        if not may_complain:
            page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((stage.url if path is None else stage.address + path) + query)
        wait_for_other(page, "loading")
        return page

    yield open_page
    stage.let_in()
    for context in contexts:
        context.close()
    assert complaints == []
