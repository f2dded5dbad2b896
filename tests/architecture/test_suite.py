"""What the other tests may not do: stand in for a real part, or wait by the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.project import modules

STAND_INS: Final = {"mock", "Mock", "MagicMock", "AsyncMock", "mocker", "monkeypatch", "MonkeyPatch"}
SHORT: Final = 0.1


def stand_ins(tree: ast.AST) -> Iterator[str]:
    """Names of libraries and fixtures that patch."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name) | ast.Attribute(attr=name) if name in STAND_INS:
                yield name
            case ast.ImportFrom(module=origin, names=names):
                yield from (part for part in [*(origin or "").split("."), *(alias.name for alias in names)] if part in STAND_INS)
            case ast.Import(names=names):
                yield from (part for alias in names for part in alias.name.split(".") if part in STAND_INS)


def long_sleeps(tree: ast.AST) -> Iterator[int]:
    """Lines that sleep for a fixed time which a person would notice."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="sleep") | ast.Name(id="sleep"), args=[ast.Constant(value=int() | float() as seconds), *_]
            ):
                if seconds >= SHORT:
                    yield node.lineno


def test_no_test_replaces_a_part_by_a_stand_in() -> None:
    assert {module.path: found for module in modules("tests/") if (found := sorted(set(stand_ins(module.tree))))} == {}


def test_no_test_waits_by_the_clock() -> None:
    assert [f"{module.path}:{line}" for module in modules("tests/") for line in long_sleeps(module.tree)] == []


@pytest.mark.parametrize(
    "code", ["from unittest import mock", "import unittest.mock", "def test(monkeypatch): ...", "pytest.MonkeyPatch()"]
)
def test_a_stand_in_would_be_found(code: str) -> None:
    assert list(stand_ins(ast.parse(code)))


@pytest.mark.parametrize("code", ["time.sleep(1)", "await asyncio.sleep(0.1)", "sleep(2.5)"])
def test_a_long_sleep_would_be_found(code: str) -> None:
    assert list(long_sleeps(ast.parse(f"async def test():\n    {code}")))


def test_no_test_folder_is_a_package() -> None:
    """Tests are found by path; a stray __init__.py would make two of the same name collide."""
    assert [module.path for module in modules("tests/") if module.path.endswith("__init__.py")] == []
