"""Sizes. A thing over its budget is split, or stands in EXCUSED with a reason that a reviewer accepted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tests.architecture.project import ROOT, Module, files, modules

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 40
PUBLIC_METHODS: Final = 15

EXCUSED: Final[dict[str, str]] = {}
"""`path` or `path:name` → why it may be larger."""

CASES: Final = {"rule", "initialize", "invariant", "precondition"}
"""Decorators of Hypothesis: what they mark is a case of a model, not part of an interface."""


def over_budget(module: Module) -> Iterator[str]:
    """The names in a module that are larger than they may be, with their sizes."""
    for node in ast.walk(module.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{module.path}:{node.name} has {lines} lines"
            case ast.ClassDef():
                public = [
                    part.name
                    for part in node.body
                    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name[0] != "_" and not is_case(part)
                ]
                if len(public) > PUBLIC_METHODS:
                    yield f"{module.path}:{node.name} has {len(public)} public methods"


def is_case(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = [mark.func for mark in function.decorator_list if isinstance(mark, ast.Call)]
    return any(isinstance(name, ast.Name) and name.id in CASES for name in calls)


def excused(finding: str) -> bool:
    return finding.split(" has ", maxsplit=1)[0] in EXCUSED


def test_no_function_is_longer_than_its_budget_and_no_class_wider() -> None:
    assert [finding for module in modules() for finding in over_budget(module) if not excused(finding)] == []


def test_no_module_is_longer_than_its_budget() -> None:
    sources = [name for name in files() if name.endswith((".py", ".js", ".css", ".html")) and name not in EXCUSED]
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in sources}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_every_excuse_is_for_something_that_needs_it() -> None:
    large = {finding.split(" has ", maxsplit=1)[0] for module in modules() for finding in over_budget(module)}
    long = {name for name in EXCUSED if ":" not in name and len((ROOT / name).read_text("utf-8").splitlines()) > MODULE_LINES}
    assert set(EXCUSED) <= large | long


def test_the_budget_notices_what_is_too_large() -> None:
    text = (
        "def long():\n"
        + "    x = 1\n" * FUNCTION_LINES
        + "class Wide:\n"
        + "".join(f"    def m{n}(self): ...\n" for n in range(16))
    )
    found = list(over_budget(Module("example.py", text, ast.parse(text))))
    assert found == ["example.py:long has 41 lines", "example.py:Wide has 16 public methods"]
