"""Canaries: digits that are swiped and typed all through the suite and may be found nowhere afterwards, outside sealed values.

Whoever starts a server says where it writes (`watch`). When the session ends, every file there is searched. Of a session that
runs in several processes, each searches what it watched, and tells the first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

GIFT: Final = "7090115566778809"
MEMBER: Final = "924690055667788"
BANK: Final = "4012888888881881"
PHONE: Final = "8055550199"

GIFT_STRIPE: Final = f";{GIFT}?"
MEMBER_STRIPE: Final = f"%B{MEMBER}^?;{MEMBER}=?"
BANK_STRIPE: Final = f"%B{BANK}^CARDHOLDER/TEST^30121010000000000000?;{BANK}=30121010000000000000?"
WORN_STRIPE: Final = f"%E?;{GIFT}?"

CANARIES: Final = (GIFT, MEMBER, BANK, PHONE)

_watched: set[Path] = set()


def watch(place: Path) -> Path:
    """Has a file, or all files of a directory, searched when the session ends."""
    _watched.add(place)
    return place


def findings(places: set[Path]) -> Iterator[str]:
    """Every place that holds a canary, in words that do not repeat it."""
    for place in sorted(places):
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file():
                content = file.read_bytes()
                yield from (
                    f"{file} holds canary {number}" for number, digits in enumerate(CANARIES) if digits.encode() in content
                )


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has been found yet."""
    config.stash[FOUND] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes has ended: takes over what it found. One that broke down tells nothing, and fails the session."""
    node.config.stash[FOUND] += getattr(node, "workeroutput", {}).get("canaries", [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session if a canary was found."""
    found = session.config.stash[FOUND]
    found += findings(_watched)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["canaries"] = found
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says where canaries were found, and in how many places none was."""
    found = terminalreporter.config.stash.get(FOUND, [])
    if found:
        terminalreporter.section("card digits at rest", red=True)
        for finding in found:
            terminalreporter.line(finding)


FOUND: Final = pytest.StashKey[list[str]]()
