"""Laws that import contracts cannot see: the core asks nobody for time; vendor's words and cards' digits stay at the edge."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from countertop.domain.ids import ordered_uuid
from tests.architecture.project import ROOT, Module, files, modules

PURE: Final = ("src/countertop/domain/", "src/countertop/protocol/", "src/countertop/terminal/machine.py")
IMPURE_CALLS: Final = {
    "now",
    "utcnow",
    "today",
    "fromtimestamp",
    "open",
    "print",
    "input",
    "urandom",
    "uuid4",
    "getenv",
    "create_task",
}

INSIDE: Final = (
    "src/countertop/domain/",
    "src/countertop/protocol/",
    "src/countertop/terminal/",
    "src/countertop/gateway/bus/",
    "src/countertop/gateway/devices/",
    "src/countertop/gateway/operations/",
    "src/countertop/gateway/store/",
)
"""The rooms that use our words. The vendor's are at the edge: http, wire, delivery, client, and what speaks to them."""

SPELLED_SO: Final = {
    "domain/scheme.py: enRoute": "the scheme's own spelling",
    "domain/level3.py: destinationZip": "a parameter that a fault is about",
    "domain/level3.py: shipFromZip": "a parameter that a fault is about",
    "gateway/operations/seed.py: smartTerminalId": "a parameter that a fault is about",
    "terminal/pairing.py: currentColor": "a word of SVG",
}
NAMES_THE_VENDOR: Final = {"src/countertop/domain/webhook.py": "signatures are known by the headers that carry them"}

VENDOR: Final = re.compile(r"payjunction|\bx?-?pj-", re.IGNORECASE)
VENDOR_NAME: Final = re.compile(r"[a-z]+(?:[A-Z][a-z]+)+")

CARD: Final = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.])")
BRANDED: Final = re.compile(r"4|5[1-5]|2[2-7]|3[4-9]|30[0-5]|6011|64[4-9]|65|62|81")
CARDS_BELONG_IN: Final = ("src/countertop/sandbox/", "src/countertop/testing/", "src/countertop/terminal/readers/simulated.py")
"""Numbers that schemes publish for tests, where tests and demonstrations swipe them."""


def calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and last name of each call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield node.lineno, name


def pure_modules() -> list[Module]:
    return [module for room in PURE for module in modules(room)]


def test_the_core_asks_nobody_for_time_chance_or_files() -> None:
    found = [
        f"{module.path}:{line} {name}()" for module in pure_modules() for line, name in calls(module.tree) if name in IMPURE_CALLS
    ]
    assert found == []


def test_the_core_is_not_asynchronous() -> None:
    """But for the clock, a port that others implement."""
    asynchronous = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    found = {module.room() for module in pure_modules() if any(isinstance(node, asynchronous) for node in ast.walk(module.tree))}
    assert found <= {"domain/clock.py"}


def test_the_vendor_is_not_named_inside() -> None:
    texts = {name: (ROOT / name).read_text("utf-8") for name in files() if name.startswith(INSIDE) and not name.endswith(".png")}
    assert {name for name, text in texts.items() if VENDOR.search(text)} == set(NAMES_THE_VENDOR)


def of_faults(tree: ast.AST) -> set[ast.AST]:
    """What stands inside `Fault(…)`: the one place where the caller's word for a parameter is known inside."""
    faults = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault"
    )
    return {part for fault in faults for part in ast.walk(fault)}


def test_the_vendors_field_names_stay_outside() -> None:
    """`camelCase` is how the wire spells."""
    found = {
        f"{module.room()}: {node.value}"
        for room in INSIDE
        for module in modules(room)
        for node in set(ast.walk(module.tree)) - of_faults(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VENDOR_NAME.fullmatch(node.value)
    }
    assert found <= set(SPELLED_SO)


def luhn_valid(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def card_numbers(text: str) -> Iterator[str]:
    """What looks like a payment card's number."""
    for match in CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if 13 <= len(digits) <= 19 and BRANDED.match(digits) and luhn_valid(digits):
            yield digits


def test_no_payment_cards_number_stands_in_the_product() -> None:
    suspects = [
        name for name in files() if name.startswith(("src/", "bench/", "scripts/")) and not name.startswith(CARDS_BELONG_IN)
    ]
    found = {name: list(card_numbers((ROOT / name).read_bytes().decode("utf-8", "replace"))) for name in suspects}
    assert {name for name, numbers in found.items() if numbers} == set()


@pytest.mark.parametrize("written", ["4111111111111111", "4111 1111 1111 1111", "a card '5555-5555-5555-4444' here"])
def test_a_payment_cards_number_would_be_found(written: str) -> None:
    assert list(card_numbers(written))


def test_an_id_is_not_taken_for_a_card() -> None:
    assert not list(card_numbers(ordered_uuid(4_111_111_111_111, lambda size: b"\x11" * size)))


def test_a_production_server_never_imports_the_sandbox() -> None:
    code = "import sys, countertop.gateway.assembly; print([name for name in sys.modules if 'sandbox' in name])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
