# SPDX-License-Identifier: Apache-2.0 OR MIT
"""File systems that are broken: the whole ones, tests/node makes with the real tools."""

import struct

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.erofs import MAGIC, Erofs, is_erofs

SUPERBLOCK = struct.Struct("<I I I B B H Q Q I I I I 16s 16s I")


def file_system(block_bits: int = 12, root: int = 36, blocks: int = 1, length: int = 4096) -> memoryview:
    superblock = SUPERBLOCK.pack(MAGIC, 0, 0, block_bits, 0, root, 1, 0, 0, blocks, 0, 0, b"", b"", 0)
    return memoryview((bytes(1024) + superblock).ljust(length, b"\0")[:length])


def test_zeros_are_no_file_system():
    assert not is_erofs(memoryview(bytes(4096)))
    with pytest.raises(UsageFault, match="no superblock"):
        Erofs(memoryview(bytes(4096)))


def test_a_file_system_that_is_cut_short_is_refused():
    with pytest.raises(UsageFault, match="cut short"):
        Erofs(file_system(blocks=100))


def test_an_impossible_block_size_is_refused():
    with pytest.raises(UsageFault, match="block size"):
        Erofs(file_system(block_bits=40))


def test_a_root_directory_outside_of_the_file_system_is_refused():
    with pytest.raises(UsageFault, match="broken"):
        Erofs(file_system(root=60000)).entries()


def test_a_root_inode_of_zeros_is_refused():
    with pytest.raises(UsageFault, match="broken"):
        Erofs(file_system()).entries()
