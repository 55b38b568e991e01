# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Sizes and identities of the disk. That the tools make what they are told is in tests/node/test_disk.py."""

import uuid
from pathlib import Path

from pinwheel.image import disk
from pinwheel.image.disk import MIB, VerityRoot

LARGEST_UKI = 300 * MIB
"""With microcode, firmware and a large initrd; that of the variant `docker` has about 16 MiB."""


def test_partitions_are_named_by_the_halves_of_the_root_hash() -> None:
    root = VerityRoot(Path("root"), Path("tree"), "00112233445566778899aabbccddeeff" + "f" * 32)
    assert root.partition_uuids == (
        uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
        uuid.UUID("ffffffff-ffff-ffff-ffff-ffffffffffff"),
    )


def test_esp_has_room_for_two_kernel_images_and_one_that_is_being_written() -> None:
    assert disk.ESP_BYTES >= 3 * LARGEST_UKI


def test_slot_of_the_hash_tree_has_room_for_a_full_slot_of_the_root() -> None:
    blocks = disk.ROOT_BYTES // 4096
    tree = 1
    while blocks > 1:
        blocks = -(-blocks // 128)  # 4096-byte blocks of 32-byte hashes
        tree += blocks
    assert tree * 4096 <= disk.VERITY_BYTES


def test_smallest_disk_has_room_for_the_data_partition() -> None:
    system = disk.ESP_BYTES + 2 * (disk.ROOT_BYTES + disk.VERITY_BYTES)
    assert disk.MINIMUM_DISK_BYTES - system >= 1024 * MIB
