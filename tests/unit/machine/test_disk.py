# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Making a machine's disk from an image, with real files."""

import json
import os
import random
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.disk import copy_sparse, make_data_disk, make_disk
from pinwheel.progress import SilentProgress

MIB = 1024**2
NO_TOOLBOX = Toolbox(Path("/nonexistent"))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A sparse file with the mark of a GPT, and data at its begin, in its middle and at its end."""
    path = tmp_path / "image.raw"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
        for offset in (0, 20 * MIB + 4096, 64 * MIB - 4096):
            file.seek(offset)
            file.write(random.Random(offset).randbytes(4096))
        file.seek(512)
        file.write(b"EFI PART")
    return path


def make(image: Path, target: Path, size: int) -> None:
    with SilentProgress().step("disk") as step:
        make_disk(image, target, size, NO_TOOLBOX, step)


def test_disk_begins_with_the_image_and_has_the_size_asked_for(image, tmp_path):
    disk = tmp_path / "disk.raw"
    make(image, disk, 100 * MIB)
    assert disk.stat().st_size == 100 * MIB
    with disk.open("rb") as file:
        assert file.read(64 * MIB) == image.read_bytes()
        assert not any(file.read())


def test_holes_stay_holes(image, tmp_path):
    copy = tmp_path / "copy.raw"
    with SilentProgress().step("copy") as step:
        copy_sparse(image, copy, step)
    assert copy.stat().st_blocks * 512 < 4 * MIB
    assert copy.read_bytes() == image.read_bytes()


def test_file_that_is_one_hole_is_copied(tmp_path):
    (tmp_path / "empty").touch()
    os.truncate(tmp_path / "empty", MIB)
    with SilentProgress().step("copy") as step:
        copy_sparse(tmp_path / "empty", tmp_path / "copy", step)
    assert (tmp_path / "copy").read_bytes() == bytes(MIB)


def test_disk_smaller_than_the_image_is_refused_with_the_size_to_give(image, tmp_path):
    with pytest.raises(UsageFault, match="too small") as caught:
        make(image, tmp_path / "disk.raw", 32 * MIB)
    assert "--disk-size 1088M" in caught.value.hint


def test_file_that_is_no_disk_image_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not a disk" * 1000)
    with pytest.raises(UsageFault, match=r"notes\.txt is not a disk image"):
        make(tmp_path / "notes.txt", tmp_path / "disk.raw", 64 * MIB)


def test_data_disk_has_one_empty_partition_with_the_label_that_the_node_looks_for(tmp_path, toolbox):
    disk = tmp_path / "data.raw"
    make_data_disk(disk, 1024 * MIB, toolbox)
    table = json.loads(toolbox.run(["sfdisk", "--json", disk], readable=[disk]))["partitiontable"]
    assert disk.stat().st_size == 1024 * MIB
    assert [partition["name"] for partition in table["partitions"]] == ["pinwheel-external-data"]
    assert disk.stat().st_blocks * 512 < MIB
