"""The documentation's examples do what the text beside them says."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from standardwebhooks.webhooks import WebhookVerificationError

from countertop.domain.allowlist import open_allowlist, parse_allowlist
from countertop.domain.screening import screen
from countertop.domain.webhook import sign, sign_standard, standard_key
from countertop.gateway.seed import check_seed
from countertop.testing.server import RunningServer, WebhookCatcher
from countertop.testing.terminal import VirtualTerminal
from tests.architecture.project import ROOT


def examples(page: str, language: str) -> list[str]:
    """The fenced blocks of a page, indented ones (inside a list) too."""
    text = (ROOT / page).read_text("utf-8")
    return [dedent(block) for _, block in re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)]


def functions(page: str) -> dict[str, Callable[..., Any]]:
    """What a page's Python examples define."""
    names: dict[str, Any] = {}
    for example in examples(page, "python"):
        exec(compile(example, page, "exec"), names)  # noqa: S102 - our own page
    return names


def test_the_webhook_examples_accept_what_is_genuine_and_nothing_else() -> None:
    page = functions("docs/how-to/receive-webhooks.md")
    body, secret = examples("docs/how-to/receive-webhooks.md", "json")[0].rstrip("\n").encode(), "a shop's secret"
    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    headers = {
        "webhook-id": "evt",
        "webhook-timestamp": str(now),
        "webhook-signature": sign_standard(standard_key(secret), "evt", now, body),
    }
    assert page["is_genuine"](secret, body, sign(secret, body))
    assert not page["is_genuine"](secret, body + b" ", sign(secret, body))
    assert page["checked_event"](secret, body, headers)["data"]["status"] == "COMPLETE"
    with pytest.raises(WebhookVerificationError):
        page["checked_event"](secret, body + b" ", headers)


def test_the_allowlist_example_is_one_and_the_signing_example_signs_it(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "ranges.toml").write_text(examples("docs/how-to/allow-a-card-range.md", "toml")[0], "utf-8")
    functions("docs/how-to/allow-a-card-range.md")["sign"](tmp_path / "ranges.toml", tmp_path / "key.pem")
    data, signature = (tmp_path / "ranges.toml").read_bytes(), (tmp_path / "ranges.toml.sig").read_bytes()
    assert open_allowlist(data, signature, key.public_key()) == parse_allowlist(data)


def test_the_seed_example_with_its_autopilot_can_be_applied() -> None:
    seed, autopilot = examples("docs/how-to/test-a-point-of-sale.md", "toml")
    check_seed(tomllib.loads(seed + autopilot), "seed.toml", test_server=True)  # raises if a table or value is wrong


def test_the_examples_for_pytest_pass(
    countertop_server: RunningServer, countertop_terminal: VirtualTerminal, webhook_catcher: WebhookCatcher
) -> None:
    page = functions("docs/how-to/test-a-point-of-sale.md")
    page["test_a_gift_card_is_read"](countertop_server, countertop_terminal, webhook_catcher)
    page["test_nobody_comes"](countertop_server, countertop_terminal)


def test_the_two_shapes_of_the_page_on_gift_cards_are_accepted() -> None:
    text = (ROOT / "docs/explanation/gift-cards-and-pci.md").read_text("utf-8")
    stripes = re.findall(r"^\d\. .*`([%;].*\?)`", text, re.MULTILINE)
    assert [screen(stripe).card is not None for stripe in stripes] == [True, True]
