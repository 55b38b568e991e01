# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which disk a path means. Real disks are looked into in tests/node."""

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.inspect import find_disk


def test_a_file_means_itself(tmp_path):
    (tmp_path / "disk.img").touch()
    assert find_disk(tmp_path / "disk.img") == tmp_path / "disk.img"


def test_a_directory_means_the_raw_disk_in_it(tmp_path):
    for name in ("pinwheel-docker.raw", "pinwheel-docker.qcow2", "manifest.json"):
        (tmp_path / name).touch()
    assert find_disk(tmp_path).name == "pinwheel-docker.raw"


def test_a_directory_with_a_qcow2_alone_means_that(tmp_path):
    (tmp_path / "pinwheel-docker.qcow2").touch()
    assert find_disk(tmp_path).name == "pinwheel-docker.qcow2"


def test_nothing_there_is_the_callers_fault_with_a_hint(tmp_path):
    with pytest.raises(UsageFault, match="there is no") as failure:
        find_disk(tmp_path / "missing")
    assert "qcow2" in failure.value.hint


def test_an_empty_directory_is_the_callers_fault(tmp_path):
    with pytest.raises(UsageFault, match="no disk image"):
        find_disk(tmp_path)


def test_two_disks_in_a_directory_are_asked_about(tmp_path):
    for name in ("a.raw", "b.raw"):
        (tmp_path / name).touch()
    with pytest.raises(UsageFault, match="more than one") as failure:
        find_disk(tmp_path)
    assert "a.raw" in failure.value.hint
