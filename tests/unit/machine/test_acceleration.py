# SPDX-License-Identifier: Apache-2.0 OR MIT
"""When KVM is used."""

from pathlib import Path

import pytest

from pinwheel.machine.acceleration import has_kvm


@pytest.mark.parametrize(
    ("flags", "works"), [("fpu vmx sse", True), ("fpu svm", True), ("fpu sse", False), ("vmxish", False)]
)
def test_processor_must_say_that_it_can(tmp_path: Path, flags, works):
    (tmp_path / "kvm").touch()
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert has_kvm(tmp_path / "cpuinfo", tmp_path / "kvm") is works


def test_without_its_device_there_is_none(tmp_path: Path):
    (tmp_path / "cpuinfo").write_text("flags : vmx\n")
    assert not has_kvm(tmp_path / "cpuinfo", tmp_path / "kvm")
