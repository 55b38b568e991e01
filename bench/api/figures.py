# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Samples to figures: percentiles, their floors, what is to be reached. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

PERCENTILES = (50, 99)


def percentile(samples: Sequence[float], percent: float) -> float:
    """Give the smallest sample that so many percent of all are not above (nearest rank); raises ValueError for none."""
    if not samples:
        raise ValueError("no samples")
    return sorted(samples)[max(0, math.ceil(len(samples) * percent / 100) - 1)]


@dataclass(frozen=True)
class Target:
    """What is to be reached: at most `times` the floor, plus `more`; without a floor, at most `more`."""

    times: float = 0.0
    more: float = 0.0

    def limit(self, floor: float | None) -> float:
        """Give the most that a figure may be, in its own unit."""
        return self.times * (floor or 0.0) + self.more

    def __str__(self) -> str:
        parts = [
            f"{self.times:g} x floor" if self.times else "",
            f"{self.more:g}" if self.more or not self.times else "",
        ]
        return "≤ " + " + ".join(part for part in parts if part)


@dataclass(frozen=True)
class Figure:
    """One figure and its floor."""

    title: str
    unit: str
    value: float
    floor: float | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """The figure divided by its floor; None where there is none."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.value <= self.target.limit(self.floor)

    def cells(self) -> list[str]:
        """Give the figure as text, in the order of `COLUMNS`."""
        floor = "" if self.floor is None else f"{self.floor:.2f}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        title = f"{self.title} ({self.unit})" if self.unit else self.title
        return [title, f"{self.value:.2f}", floor, ratio, str(self.target or ""), verdict]

    def document(self) -> dict[str, object]:
        """Give the figure for programs."""
        return {
            "title": self.title, "unit": self.unit, "value": self.value, "floor": self.floor, "ratio": self.ratio,
            "target": str(self.target) if self.target else None, "met": self.met,
        }  # fmt: skip


COLUMNS = ("", "Pinwheel", "floor", "ratio", "to reach", "")


@dataclass(frozen=True)
class Pair:
    """Two series that were taken by turns; seconds."""

    ours: list[float]
    floor: list[float]

    def figures(self, title: str, target: Target | None = None) -> list[Figure]:
        """Give a figure for each percentile, in milliseconds."""
        return [
            Figure(
                f"{title}, p{percent}",
                "ms",
                1000 * percentile(self.ours, percent),
                1000 * percentile(self.floor, percent),
                target,
            )
            for percent in PERCENTILES
        ]
