# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Swap space in compressed memory: the kernel's zram (Documentation/admin-guide/blockdev/zram.rst)."""

from pinwheel.node import swap
from pinwheel.node.paths import MODPROBE, SWAPS, ZRAM_DEVICE, ZRAM_STATE, Paths
from pinwheel.node.programs import run
from pinwheel.node.services.workload import machine_memory
from pinwheel.settings.problem import Problem
from pinwheel.settings.system import ZramSwap
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import size_bytes

LOAD_SECONDS = 60.0
PRIORITY = 100
"""Before any other swap space that somebody switches on."""
_MIB = 1024**2


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Switch it on, off, or make it as large as it is to be."""
    before, wanted = old.memory.zram_swap, new.memory.zram_swap
    if wanted == before:
        return []
    try:
        _take_away(paths)
        if wanted.enabled:
            _set_up(paths, disk_size(wanted, machine_memory()))
    except (OSError, ValueError) as error:
        words = f"swap space cannot be {'made' if wanted.enabled else 'taken away'}: {error}"
        return [Problem("no-swap", "settings.memory.zram-swap", 0, words, "the rest takes effect without it")]
    return []


def disk_size(zram: ZramSwap, total: int) -> int:
    """Give the size of the device in bytes, in whole MiB."""
    return size_bytes(zram.size, total) // _MIB * _MIB


def _take_away(paths: Paths) -> None:
    if any(line.split()[:1] == [ZRAM_DEVICE] for line in paths.text(SWAPS).splitlines()):
        swap.switch_off(paths.at(ZRAM_DEVICE))
    reset = paths.at(f"{ZRAM_STATE}/reset")
    if reset.exists():
        reset.write_text("1")


def _set_up(paths: Paths, size: int) -> None:
    outcome = run(paths.at(MODPROBE), "--", "zram", seconds=LOAD_SECONDS)
    if outcome.status:
        raise OSError(" ".join(outcome.errors.split()))
    paths.at(f"{ZRAM_STATE}/disksize").write_text(str(size))
    swap.make(paths.at(ZRAM_DEVICE), size)
    swap.switch_on(paths.at(ZRAM_DEVICE), PRIORITY)
