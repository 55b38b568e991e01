# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Memory that the workload's containers leave to the system: the limit of the slice that all of them are in."""

import os

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import WORKLOAD_LIMITS, Paths
from pinwheel.node.serialize import ini_file
from pinwheel.node.services.service import Files
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import size_bytes

LEAST = 64 * 1024**2
"""Bytes below which no engine could start a container."""


def render(settings: Settings) -> Files:
    """Give the slice its limit, on a machine of this one's size."""
    if settings.memory.reserved is None:
        return {}
    limit = left_over(settings.memory.reserved, machine_memory())
    return {WORKLOAD_LIMITS: RenderedFile(ini_file({"Slice": {"MemoryMax": str(limit)}}))}


def check(paths: Paths, settings: Settings, files: Files) -> list[Problem]:  # noqa: ARG001 - the machine is asked
    """Refuse to leave the workload nothing."""
    reserved = settings.memory.reserved
    if reserved is None or left_over(reserved, machine_memory()) >= LEAST:
        return []
    words = f"{reserved} of {machine_memory() // 1024**2} MiB leaves containers less than {LEAST // 1024**2} MiB"
    return [Problem("bad-value", "settings.memory.reserved", 0, words, "nothing is reserved")]


def left_over(reserved: str, total: int) -> int:
    """Give the bytes that are left to the workload."""
    return max(0, total - size_bytes(reserved, total))


def machine_memory() -> int:
    """Give the bytes of memory that the kernel has: fixed for a boot."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
