"""Every third-party package is there for a reason that is written down, is used, and is pinned by its content."""

from __future__ import annotations

import ast
import re
import sys
from typing import Final

import pytest

from tests.architecture.project import ROOT, metadata, modules

LOCKS: Final = ("run", "dev", "build")
IMPORTED_AS: Final = {
    "argon2-cffi": "argon2",
    "nats-py": "nats",
    "hidapi": "hid",
    "prometheus-client": "prometheus_client",
    "pydantic-settings": "pydantic_settings",
    "pyiso8583": "iso8583",
}
"""Packages whose module has another name."""

COMES_WITH: Final = {
    "aiohappyeyeballs": "aiohttp",
    "yarl": "aiohttp",
    "multidict": "aiohttp",
    "pydantic_core": "pydantic",
    "typing_extensions": "pydantic",
}
"""Modules that are part of what another package offers."""

USED_WITHOUT_IMPORT: Final = {
    "uvloop": "uvicorn's event loop, chosen by name",
    "websockets": "uvicorn's WebSocket protocol, chosen by name",
}


def canonical(name: str) -> str:
    """A package's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {canonical(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]) for requirement in requirements}


def runtime() -> set[str]:
    return names(metadata()["project"]["dependencies"])


def everything() -> set[str]:
    extras = metadata()["project"]["optional-dependencies"].values()
    groups = metadata()["dependency-groups"].values()
    return runtime().union(*(names(listed) for listed in [*extras, *groups]))


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / f"requirements/{lock}.txt").read_text("utf-8")
    return {
        canonical(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE)
    }


def explained() -> dict[str, str]:
    """Package → its reason, from the tables of the dependencies' page."""
    page = (ROOT / "docs/explanation/dependencies.md").read_text("utf-8")
    return {canonical(name): reason for name, reason in re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|$", page, re.MULTILINE)}


def third_party_imports(under: str) -> set[str]:
    found: set[str] = set()
    for module in modules(under):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    found -= set(sys.stdlib_module_names) | {"countertop", "tests", "bench"}
    return {COMES_WITH.get(name, name) for name in found}


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    assert set(explained()) == everything()


def test_everything_imported_by_the_product_is_declared() -> None:
    declared = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in everything()}
    assert third_party_imports("src/") <= declared


def test_every_dependency_of_the_product_is_used() -> None:
    """Imported, named in a setting of another package, or marked on its page as waiting for the part that needs it."""
    imported = third_party_imports("src/")
    idle = {name for name in runtime() if IMPORTED_AS.get(name, name.replace("-", "_")) not in imported} - set(
        USED_WITHOUT_IMPORT
    )
    assert {name for name in idle if not explained()[name].startswith("Waiting for")} == set()


def test_nothing_waits_that_is_used() -> None:
    waiting = {name for name, reason in explained().items() if reason.startswith("Waiting for")}
    assert {name for name in waiting if IMPORTED_AS.get(name, name.replace("-", "_")) in third_party_imports("src/")} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / f"requirements/{lock}.txt").read_text("utf-8")
    assert not re.search(r"://|--index-url|--find-links|(?m:^-e )", text)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_every_dependency_is_locked() -> None:
    unlocked = names(metadata()["project"]["optional-dependencies"]["hardware"])  # evdev is compiled where it is used
    assert everything() - unlocked <= set(locked("dev"))
    assert runtime() <= set(locked("run"))


@pytest.mark.parametrize("lock", ["run", "build"])
def test_the_locks_agree(lock: str) -> None:
    assert locked(lock).items() <= locked("dev").items()
