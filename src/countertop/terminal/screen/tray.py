"""Cards that lie beside a terminal's page. Which they are, a test server decides; a terminal on a counter has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class TrayCard:
    """One card. The page gets its looks and words (language → text); `stripe`, what a reader would type, stays at the server."""

    name: str
    style: Literal["gift", "member", "worn", "bank"]
    title: Mapping[str, str]
    note: Mapping[str, str]
    stripe: str = field(repr=False)
