"""What the architecture tests look at: the project's files, its modules parsed once, its metadata."""

from __future__ import annotations

import ast
import functools
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "countertop"


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the project's root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    def room(self) -> str:
        """Where it lives inside the package (`gateway/http/page.py`), or its path if it is outside."""
        return self.path.removeprefix("src/countertop/")


@functools.cache
def files() -> tuple[str, ...]:
    """Every file of the project, as git would take it: tracked or new, never ignored; paths from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return tuple(sorted(name for name in listed.stdout.splitlines() if (ROOT / name).is_file()))
    return tuple(sorted(_walk(ROOT)))  # an unpacked archive


def _walk(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.is_file():
            yield str(path.relative_to(ROOT))
        elif not path.name.startswith(".") and path.name not in {"build", "dist", "countertop-data", "__pycache__"}:
            yield from _walk(path)


@functools.cache
def modules(under: str = "") -> tuple[Module, ...]:
    """The Python files whose path begins with `under`, parsed."""
    return tuple(_parse(name) for name in files() if name.endswith(".py") and name.startswith(under))


@functools.cache
def _parse(name: str) -> Module:
    text = (ROOT / name).read_text("utf-8")
    return Module(name, text, ast.parse(text, name))


@functools.cache
def metadata() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
