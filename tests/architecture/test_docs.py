"""The documentation holds together: links lead somewhere, commands exist, decisions are indexed, examples can be read."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.project import ROOT, files, metadata, modules

FUNCTION: Final = ast.FunctionDef | ast.AsyncFunctionDef
PAGES: Final = sorted(name for name in files() if name.endswith(".md"))
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE: Final = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
ADR_PARTS: Final = ("Context", "Decision", "Consequences", "What was compared")


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str, language: str) -> Iterator[str]:
    return (body for kind, body in FENCE.findall(text) if kind == language)


def anchors(text: str) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(name: str) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", page(name))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / name).parent / path if path else ROOT / name
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place.read_text("utf-8"))):
            yield target


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    assert list(broken_links(name)) == []


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        place = waiting.pop()
        if place in reached:
            continue
        reached.add(place)
        targets = (
            target.partition("#")[0] for target in LINK.findall(place.read_text("utf-8")) if not re.match(r"[a-z]+:", target)
        )
        waiting += [(place.parent / target).resolve() for target in targets if target.endswith(".md")]
    assert {name for name in PAGES if (ROOT / name).resolve() not in reached} == set()


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", PAGES)
def test_make_commands_exist(name: str) -> None:
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=[`\n #]| +[A-Z]+=)", "\n".join(code(page(name))))) <= make_targets()


def code(text: str) -> Iterator[str]:
    """What is written as code: fenced blocks and inline spans."""
    for _, body in FENCE.findall(text):
        yield body
    yield from (f"{span}`" for span in re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))


def test_every_target_has_its_line_of_help() -> None:
    helped = set(re.findall(r"^([a-z]+):.*## ", page("Makefile"), re.MULTILINE))
    assert helped == make_targets()
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target} " in shown for target in helped)


@pytest.mark.parametrize("name", PAGES)
def test_examples_can_be_read(name: str) -> None:
    text = page(name)
    for example in blocks(text, "json"):
        json.loads(example)
    for example in blocks(text, "toml"):
        tomllib.loads(example)
    for example in blocks(text, "python"):
        compile(example, name, "exec")


@pytest.mark.parametrize("name", PAGES)
def test_shell_examples_are_shell(name: str) -> None:
    for example in blocks(page(name), "sh"):
        checked = subprocess.run(["sh", "-n"], input=example, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_tests_that_are_named_exist() -> None:
    defined = {node.name for module in modules("tests/") for node in ast.walk(module.tree) if isinstance(node, FUNCTION)}
    named = {(name, test) for name in PAGES for test in re.findall(r"`(test_\w+)`", page(name))}
    assert {(name, test) for name, test in named if test not in defined} == set()


def decisions() -> list[str]:
    return [name for name in PAGES if re.match(r"docs/adr/\d{4}-", name)]


def test_decisions_are_numbered_without_a_gap_and_indexed() -> None:
    assert [int(Path(name).name[:4]) for name in decisions()] == list(range(1, len(decisions()) + 1))
    index = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", page("docs/adr/README.md"))
    assert index == [Path(name).name for name in decisions()]


@pytest.mark.parametrize("name", decisions())
def test_a_decision_has_all_its_parts_and_fits_a_page(name: str) -> None:
    text = page(name)
    assert [heading for heading in HEADING.findall(text) if heading in ADR_PARTS] == list(ADR_PARTS)
    assert re.search(r"^Status: (accepted|superseded by \[\d{4}\])", text, re.MULTILINE)
    assert len(text.splitlines()) <= 60


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    words = [word.lower() for word in re.findall(r"^\*\*(.+?)\*\*", page("docs/glossary.md"), re.MULTILINE)]
    assert words == sorted(set(words))


def test_the_changelog_knows_the_version() -> None:
    version = metadata()["project"]["version"]
    assert re.findall(r"^## \[([^\]]+)\]", page("CHANGELOG.md"), re.MULTILINE)[0] in {"Unreleased", version}


def test_nothing_points_outside_the_project() -> None:
    """A clone is complete: no file leans on a path or a page that only its authors had."""
    outside = re.compile(rb"\.\./sha" rb"red|/wo" rb"rk/[a-z]|\bDESIGN" rb"(?:\.md\b|'s\b| section)|\bINTERFACES" rb"\b")
    assert [name for name in files() if outside.search((ROOT / name).read_bytes())] == []
