# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What each unit takes of memory and processors, as its cgroup says: any process may read it.

Format: docs.kernel.org/admin-guide/cgroup-v2.html, `memory.current` and `cpu.stat`. A container of the engine is a unit
too, `docker-ID.scope` in `workload.slice`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pinwheel.node.paths import CGROUPS, Paths

_UNITS = (".service", ".scope")
_DEPTH = 3
"""Slices within slices; what is below a unit is the unit's own."""
_MICROSECONDS = 1_000_000


class Usage(NamedTuple):
    """What a unit takes."""

    unit: str
    memory: int
    """Bytes, the page cache of its files included."""
    cpu: float
    """Seconds of processors since it was started."""


def usages(paths: Paths) -> list[Usage]:
    """Look at every unit that has processes; sorted by name."""
    found = (_usage(directory) for directory in _units(paths.at(CGROUPS), _DEPTH))
    return sorted(usage for usage in found if usage)


def _units(directory: Path, depth: int) -> Iterator[Path]:
    try:
        children = [child for child in directory.iterdir() if child.is_dir()]
    except OSError:  # gone meanwhile
        return
    for child in children:
        if child.name.endswith(_UNITS):
            yield child
        elif child.name.endswith(".slice") and depth > 1:
            yield from _units(child, depth - 1)


def _usage(directory: Path) -> Usage | None:
    try:
        memory = int((directory / "memory.current").read_text())
        microseconds = dict(line.split() for line in (directory / "cpu.stat").read_text().splitlines())["usage_usec"]
    except (OSError, ValueError, KeyError):  # gone meanwhile, or without these controllers
        return None
    return Usage(directory.name, memory, int(microseconds) / _MICROSECONDS)
