# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Swap space as the system's own tools see it."""

import subprocess

import pytest

from pinwheel.node import swap

PAGE = 4096


def test_blkid_takes_it_for_swap_space(tmp_path):
    file = tmp_path / "swap"
    file.write_bytes(bytes(1024**2))
    swap.make(file, 1024**2)
    said = subprocess.run(["blkid", "-p", "-o", "export", file], check=True, capture_output=True, text=True).stdout
    assert "TYPE=swap" in said


def test_header_says_how_many_pages_there_are():
    page = swap.header(100 * PAGE, PAGE)
    assert len(page) == PAGE
    assert int.from_bytes(page[1028:1032], "little") == 99


def test_space_without_room_for_anything_is_refused():
    with pytest.raises(ValueError, match="too small"):
        swap.header(9 * PAGE, PAGE)


def test_kernel_words_are_told(tmp_path):
    with pytest.raises(OSError, match="swapon"):
        swap.switch_on(tmp_path / "nothing", 1)
    with pytest.raises(OSError, match="swapoff"):
        swap.switch_off(tmp_path / "nothing")
