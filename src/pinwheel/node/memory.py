# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The memory that the kernel keeps free for itself, as much as it would without huge pages.

The daemon that collects huge pages raises vm.min_free_kbytes to 45 MB or more when it starts, however small the machine
is (mm/khugepaged.c, set_recommended_min_free_kbytes). On a node of 2 GiB no container can have that memory, kept for
the sake of a few huge pages. The kernel's own rule is int_sqrt(lowmem_kbytes * 16) (mm/page_alloc.c,
calculate_min_free_kbytes), and is put back here. docs/decisions/0011 has the figures.
"""

import math

from pinwheel.node.paths import MEMORY, SYSCTLS, Paths

MIN_FREE = f"{SYSCTLS}/vm/min_free_kbytes"
SMALLEST_KIB, LARGEST_KIB = 128, 262144
"""The kernel's own bounds."""


def kernel_reserve(total_kib: int) -> int:
    """Give how many KiB the kernel keeps free on a machine with so much memory, huge pages aside."""
    return max(SMALLEST_KIB, min(LARGEST_KIB, math.isqrt(total_kib * 16)))


def restore_reserve(paths: Paths) -> None:
    """Put the kernel's own reserve back where huge pages have raised it; user data may change it afterwards."""
    total = next((line.split()[1] for line in paths.text(MEMORY).splitlines() if line.startswith("MemTotal:")), "")
    current = paths.text(MIN_FREE)
    if total.isdigit() and current.isdigit() and int(current) > kernel_reserve(int(total)):
        paths.at(MIN_FREE).write_text(f"{kernel_reserve(int(total))}\n")
