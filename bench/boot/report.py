# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Put both systems side by side: medians, spread, ratios, and what is to be reached. Pure."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.boot.facts import ImageFacts
from bench.boot.result import Boot

_MB = 1000**2
_MIB = 1024**2


@dataclass(frozen=True)
class Target:
    """What is to be reached: at most `limit`, as a ratio ours/stock or in the row's own unit."""

    limit: float
    of_stock: bool = False

    def is_met(self, ours: float, stock: float | None) -> bool:
        """Say whether these figures reach it."""
        if self.of_stock:
            return stock is not None and ours <= self.limit * stock
        return ours <= self.limit

    def __str__(self) -> str:
        return f"≤ {self.limit:g} of stock" if self.of_stock else f"≤ {self.limit:g}"


@dataclass(frozen=True)
class System:
    """One system's results."""

    facts: ImageFacts
    boots: Sequence[Boot]
    asked_for_ports: frozenset[str] = frozenset()
    """Ports that are open because the bench's own user data opens them, like `2376/tcp`."""

    def unasked_ports(self, boot: Boot) -> list[str]:
        """Give the ports that are open in `boot` though nobody asked for them."""
        return [port for port in boot.observation.ports if port not in self.asked_for_ports]


@dataclass(frozen=True)
class Row:
    """One figure of both systems."""

    title: str
    unit: str
    ours: tuple[float, ...]
    """One value for each boot; a single one where it is a property of the image."""
    stock: tuple[float, ...]
    """Empty where stock has no such thing."""
    target: Target | None = None

    @property
    def medians(self) -> tuple[float, float | None]:
        """Ours and stock's."""
        return statistics.median(self.ours), statistics.median(self.stock) if self.stock else None

    @property
    def ratio(self) -> float | None:
        """Ours divided by stock's, of the medians; None where there is nothing to divide by."""
        ours, stock = self.medians
        return ours / stock if stock else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.target.is_met(*self.medians)

    def cells(self) -> list[str]:
        """Give the row as text, in the order of `COLUMNS`."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        title = f"{self.title} ({self.unit})" if self.unit else self.title
        return [title, _spread(self.ours), _spread(self.stock), ratio, str(self.target or ""), verdict]

    def document(self) -> dict[str, object]:
        """Give the row for programs."""
        ours, stock = self.medians
        return {
            "title": self.title, "unit": self.unit, "pinwheel": list(self.ours), "stock": list(self.stock),
            "median_pinwheel": ours, "median_stock": stock, "ratio": self.ratio,
            "target": str(self.target) if self.target else None, "met": self.met,
        }  # fmt: skip


COLUMNS = ("", "Pinwheel", "stock Debian", "ratio", "to reach", "")


def rows(ours: System, stock: System) -> list[Row]:
    """Compare two systems, figure by figure."""
    return [*_boot_rows(ours, stock), *_image_rows(ours.facts, stock.facts)]


def _boot_rows(ours: System, stock: System) -> list[Row]:
    def row(title: str, unit: str, value: Callable[[Boot], float], target: Target | None = None) -> Row:
        return Row(title, unit, tuple(map(value, ours.boots)), tuple(map(value, stock.boots)), target)

    answers = tuple(boot.api_answers for boot in ours.boots if boot.api_answers is not None)
    return [
        row("engine ready", "s", lambda boot: boot.engine_ready),
        *([Row("API answers over TLS", "s", answers, ())] if answers else []),
        row("first container's output", "s",
            lambda boot: boot.first_container, Target(0.45, of_stock=True)),
        row("processor time", "s", lambda boot: boot.processor_time),
        row("unreclaimable memory", "MiB",
            lambda boot: boot.observation.idle.unreclaimable / _MIB, Target(0.7, of_stock=True)),
        row("unavailable memory", "MiB", lambda boot: boot.observation.idle.unavailable / _MIB),
        Row("open ports", "", tuple(float(len(ours.unasked_ports(boot))) for boot in ours.boots),
            tuple(float(len(stock.unasked_ports(boot))) for boot in stock.boots), Target(0)),
    ]  # fmt: skip


def _image_rows(ours: ImageFacts, stock: ImageFacts) -> list[Row]:
    def row(title: str, unit: str, value: Callable[[ImageFacts], float], target: Target | None = None) -> Row:
        return Row(title, unit, (value(ours),), (value(stock),), target)

    return [
        row("root", "MB", lambda facts: facts.root_bytes / _MB, Target(115)),
        row("kernel and initrd", "MB", lambda facts: facts.boot_bytes / _MB, Target(16)),
        row("download", "MB", lambda facts: facts.download_bytes / _MB),
        row("packages", "", lambda facts: facts.packages),
        row("executable files", "", lambda facts: facts.executables, Target(70)),
        row("setuid files", "", lambda facts: facts.setuid),
    ]


def _spread(values: Sequence[float]) -> str:
    """Say the median, and in brackets from what to what the values go."""
    if not values:
        return ""
    middle, low, high = statistics.median(values), min(values), max(values)
    return _number(middle) if low == high else f"{_number(middle)} [{_number(low)}-{_number(high)}]"


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
