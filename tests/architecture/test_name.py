"""Names: modules are called by the field's words, so that a stranger finds the room for a line of code."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import Final

from tests.architecture.project import ROOT, modules

SAYS_NOTHING: Final = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "managers",
    "base",
    "common",
    "misc",
    "core",
    "lib",
    "types",
    "models",
}
NOUNS: Final = ("src/countertop/domain/", "src/countertop/gateway/operations/", "src/countertop/gateway/store/")


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    parts = {part.removesuffix(".py") for module in modules() for part in PurePath(module.path).parts}
    assert parts & SAYS_NOTHING == set()


def test_the_modules_of_the_inner_rooms_are_in_the_glossary() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text("utf-8").lower()
    words = set(re.findall(r"[a-z0-9]+", glossary))
    names = {PurePath(module.path).stem for room in NOUNS for module in modules(room)} - {"__init__", "env"}
    names = {name for name in names if not re.match(r"\d", name)}  # migrations are numbered
    assert {name for name in names if not set(name.split("_")) <= words} == set()


def test_every_package_says_what_it_is_for() -> None:
    packages = [module for module in modules("src/") if module.path.endswith("__init__.py")]
    assert [module.path for module in packages if not ast.get_docstring(module.tree)] == []
