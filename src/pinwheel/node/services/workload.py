# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Memory that the workload's containers leave to the system: the limit of the slice that all of them are in."""

import os

from pinwheel.node.paths import SYSTEMCTL, WORKLOAD_SLICE, Paths
from pinwheel.node.programs import run
from pinwheel.node.services.service import Files
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import size_bytes

_SECONDS = 20.0
LEAST = 64 * 1024**2
"""Bytes below which no engine could start a container."""


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Give the slice its limit, on a machine of this one's size.

    A drop-in would not do: systemd leaves a slice that is there with its limit when it reads its units again.
    """
    limit = _limit(new)
    if limit == _limit(old):
        return []
    outcome = run(
        paths.at(SYSTEMCTL), "set-property", "--runtime", WORKLOAD_SLICE, f"MemoryMax={limit}", seconds=_SECONDS
    )
    if outcome.status == 0:
        return []
    words = " ".join(outcome.errors.split())
    return [Problem("limit-refused", "settings.memory.reserved", 0, words, "containers keep the limit that they had")]


def check(paths: Paths, settings: Settings, files: Files) -> list[Problem]:  # noqa: ARG001 - the machine is asked
    """Refuse to leave the workload nothing."""
    reserved = settings.memory.reserved
    if reserved is None or left_over(reserved, machine_memory()) >= LEAST:
        return []
    words = f"{reserved} of {machine_memory() // 1024**2} MiB leaves containers less than {LEAST // 1024**2} MiB"
    return [Problem("bad-value", "settings.memory.reserved", 0, words, "nothing is reserved")]


def _limit(settings: Settings) -> str:
    reserved = settings.memory.reserved
    return "infinity" if reserved is None else str(left_over(reserved, machine_memory()))


def left_over(reserved: str, total: int) -> int:
    """Give the bytes that are left to the workload."""
    return max(0, total - size_bytes(reserved, total))


def machine_memory() -> int:
    """Give the bytes of memory that the kernel has: fixed for a boot."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
