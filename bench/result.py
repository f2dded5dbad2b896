"""What a row found: pairs of product and reference, measured one right after the other, and how they compare."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """The product and its reference, in the same unit, within one round."""

    product: float
    reference: float

    @property
    def ratio(self) -> float:
        """The product in terms of the reference."""
        return self.product / self.reference


@dataclass(frozen=True)
class Goal:
    """A bound on the median ratio; `at_least` False: at most."""

    bound: float
    at_least: bool = True

    def met(self, ratio: float) -> bool:
        """Whether a median ratio is within it."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True)
class Result:
    """One line of the table. `unit` is that of the two figures; `of` names the reference."""

    name: str
    of: str
    unit: str
    goal: Goal
    pairs: Sequence[Pair]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(pair.ratio for pair in self.pairs)

    def line(self) -> str:
        """The table's line, in Markdown."""
        ratios = [pair.ratio for pair in self.pairs]
        product = _figure(statistics.median(pair.product for pair in self.pairs))
        reference = _figure(statistics.median(pair.reference for pair in self.pairs))
        spread = f"{_figure(min(ratios))} – {_figure(max(ratios))}"
        figures = [f"{product} {self.unit}", f"{self.of} = {reference} {self.unit}", f"**{_figure(self.ratio)}**", spread]
        return f"| {' | '.join([self.name, *figures])} | {self.goal} | {'yes' if self.goal.met(self.ratio) else 'NO'} |"


HEAD = "| Row | Product | Reference | Ratio, median | Spread | Goal | Met |\n|---|---|---|---|---|---|---|"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
