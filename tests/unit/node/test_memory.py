# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The kernel's reserve of free memory, with real files."""

import pytest

from pinwheel.node.memory import MIN_FREE, kernel_reserve, restore_reserve
from pinwheel.node.paths import MEMORY, Paths


def node(root, total: str, reserve: str) -> Paths:
    paths = Paths(root)
    for place, text in ((MEMORY, f"MemTotal:       {total} kB\nMemFree: 1 kB\n"), (MIN_FREE, f"{reserve}\n")):
        paths.at(place).parent.mkdir(parents=True, exist_ok=True)
        paths.at(place).write_text(text)
    return paths


@pytest.mark.parametrize(("total", "reserve"), [(2_001_128, 5658), (64 * 2**20, 32768), (1, 128), (2**50, 262144)])
def test_reserve_follows_the_kernels_own_rule(total, reserve):
    assert kernel_reserve(total) == reserve


def test_reserve_that_huge_pages_raised_is_put_back(tmp_path):
    paths = node(tmp_path, "2001128", "45056")
    restore_reserve(paths)
    assert paths.text(MIN_FREE) == "5658"


def test_smaller_reserve_is_left_alone(tmp_path):
    paths = node(tmp_path, "2001128", "4096")
    restore_reserve(paths)
    assert paths.text(MIN_FREE) == "4096"


def test_node_that_does_not_say_how_much_memory_it_has_is_left_alone(tmp_path):
    paths = node(tmp_path, "unknown", "45056")
    restore_reserve(paths)
    assert paths.text(MIN_FREE) == "45056"
