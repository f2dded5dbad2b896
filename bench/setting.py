"""How much a row measures, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """`folder` is the row's own. `rounds` pairs are measured, each side for `seconds`; `scale` is the part of all sizes used."""

    folder: Path
    rounds: int
    seconds: float
    scale: float = 1.0

    def some(self, count: int) -> int:
        """As many of something as are used of `count`."""
        return max(8, int(count * self.scale))

    @property
    def warm_up(self) -> float:
        """Seconds that a server runs before it is measured."""
        return self.seconds / 2
