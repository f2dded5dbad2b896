"""What a row found: pairs of product and reference, measured one right after the other, and how they compare."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement: a value, and what each thing that was counted cost the server in µs of CPU, if that was looked at."""

    value: float
    cost: float | None = None


@dataclass(frozen=True)
class Pair:
    """The product and its reference, in the same unit, within one round."""

    product: Figure
    reference: Figure

    @property
    def ratio(self) -> float:
        """The product in terms of the reference."""
        return self.product.value / self.reference.value


def pair(product: float, reference: float) -> Pair:
    """A pair without costs."""
    return Pair(Figure(product), Figure(reference))


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

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.goal.met(self.ratio)

    def line(self) -> str:
        """The table's line, in Markdown."""
        ratios = [pair.ratio for pair in self.pairs]
        product = shown(statistics.median(pair.product.value for pair in self.pairs))
        reference = shown(statistics.median(pair.reference.value for pair in self.pairs))
        cells = [
            self.name,
            f"{product} {self.unit}",
            f"{self.of} = {reference} {self.unit}",
            f"**{shown(self.ratio)}**",
            f"{shown(min(ratios))} – {shown(max(ratios))}",
            str(self.goal),
            "yes" if self.met else "NO",
            _costs([pair.product for pair in self.pairs], [pair.reference for pair in self.pairs]),
        ]
        return f"| {' | '.join(cells)} |"


HEAD = "| Row | Product | Reference | Ratio, median | Spread | Goal | Met | CPU µs each |\n|---|---|---|---|---|---|---|---|"


def _costs(*sides: Sequence[Figure]) -> str:
    """The least of each side: what disturbs a measurement only ever adds to it."""
    least = [min((figure.cost for figure in side if figure.cost is not None), default=None) for side in sides]
    return " : ".join(shown(cost) for cost in least if cost is not None)


def shown(value: float) -> str:
    """A number as the table has it."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
