# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the dashboard shows, from what the API answers. Pure.

Load is the difference between two looks: a node counts seconds of processors, and does not say how busy they are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pinwheel.api.client.text import clean

_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')
_IDLE = ("idle", "iowait")

Samples = dict[str, dict[str, float]]
"""Metric -> the value of its one label ("" without any) -> number."""


def read_samples(text: str) -> Samples:
    """Read Prometheus' text format, version 0.0.4; of several labels the last one counts."""
    samples: Samples = {}
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match:
            labels = [value.replace('\\"', '"').replace("\\\\", "\\") for _, value in _LABEL.findall(match[2] or "")]
            samples.setdefault(match[1], {})[labels[-1] if labels else ""] = float(match[3])
    return samples


@dataclass(frozen=True)
class Look:
    """What one look at a node gave."""

    at: float
    """Seconds of a monotonic clock."""
    status: Mapping[str, Any]
    samples: Samples
    containers: Sequence[Mapping[str, Any]] = field(default_factory=list)
    generations: Sequence[Mapping[str, Any]] = field(default_factory=list)


def busy(before: Look | None, now: Look) -> float | None:
    """Give how busy all processors were between two looks, from 0 to 1; None when that is not known."""
    old = before.samples.get("pinwheel_cpu_seconds_total", {}) if before else {}
    new = now.samples.get("pinwheel_cpu_seconds_total", {})
    passed = {mode: seconds - old.get(mode, 0.0) for mode, seconds in new.items()}
    total = sum(passed.values())
    if not old or total <= 0:  # a node that has started again counts anew
        return None
    return min(1.0, max(0.0, 1 - sum(passed.get(mode, 0.0) for mode in _IDLE) / total))


def memory(now: Look) -> tuple[float, float]:
    """Give the bytes in use, and all there are."""
    kinds = now.samples.get("pinwheel_memory_bytes", {})
    total = kinds.get("total", 0.0)
    return total - kinds.get("available", total), total


def data(now: Look) -> tuple[float, float]:
    """Give the bytes in use on the data partition, and all there are."""
    kinds = now.samples.get("pinwheel_data_bytes", {})
    total = kinds.get("total", 0.0)
    return total - kinds.get("available", total), total


def unit_load(before: Look | None, now: Look, unit: str) -> float | None:
    """Give how many processors a unit kept busy between two looks; None when that is not known."""
    name = "pinwheel_unit_cpu_seconds_total"
    old = before.samples.get(name, {}).get(unit) if before else None
    new = now.samples.get(name, {}).get(unit)
    if before is None or old is None or new is None or new < old or now.at <= before.at:
        return None
    return (new - old) / (now.at - before.at)


def unit_rows(before: Look | None, now: Look) -> list[tuple[str, str, str]]:
    """Give name, memory and load of each unit, failed ones first, then the largest; without those of containers."""
    failed = [str(name) for name in now.status.get("failed_units") or ()]
    sizes = now.samples.get("pinwheel_unit_memory_bytes", {})
    of_containers = {str(one.get("unit")) for one in now.containers}
    running = sorted((name for name in sizes if name not in of_containers), key=lambda name: (-sizes[name], name))
    rows = [(clean(name), "failed", "") for name in failed]
    return rows + [(clean(name), size(sizes[name]), load(unit_load(before, now, name))) for name in running]


def container_rows(before: Look | None, now: Look) -> list[tuple[str, str, str, str, str]]:
    """Give name, image, state, memory and load of each container, running ones first."""
    sizes = now.samples.get("pinwheel_unit_memory_bytes", {})
    ordered = sorted(now.containers, key=lambda one: (one.get("state") != "running", str(one.get("name"))))
    return [
        (
            clean(str(one["name"])),
            clean(str(one["image"])),
            clean(str(one["status"] or one["state"])),
            size(sizes[one["unit"]]) if one["unit"] in sizes else "",
            load(unit_load(before, now, one["unit"])),
        )
        for one in ordered
    ]


def size(count: float) -> str:
    """Say a number of bytes in binary units, as memory is counted."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def load(processors: float | None) -> str:
    """Say a load in per cent of one processor."""
    return "" if processors is None else f"{processors * 100:.0f} %"


def bar(part: float, whole: float, width: int = 20) -> str:
    """Draw a part of a whole."""
    full = round(width * min(1.0, part / whole)) if whole > 0 else 0
    return "█" * full + "░" * (width - full)
