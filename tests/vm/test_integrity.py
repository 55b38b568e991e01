# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A disk that somebody has changed behind the signature: nothing of it runs, and the console says why."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.lab import Lab, wait_for_console

from pinwheel.image.manifest import read_manifest
from pinwheel.machine.machine import Machine

pytestmark = pytest.mark.vm

REFUSAL_TIMEOUT = 120.0
"""Seconds from power-on; it takes about ten."""
BLOCK = 4096
SUPERBLOCK = 0
FIRST_HASH_BLOCK = 1
"""The tree's top, below the superblock of dm-verity."""


def partition_offset(lab: Lab, name: str) -> int:
    (offset,) = (one.offset for one in read_manifest(lab.image.directory).partitions if one.name == name)
    return offset


def flip_byte(disk: Path, offset: int) -> None:
    with disk.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def entry_in_esp(lab: Lab, machine: Machine) -> tuple[str, str]:
    """Give mtools' name of the disk's ESP, and the path of the kernel image in it."""
    esp = f"{machine.disk}@@{partition_offset(lab, 'esp')}"
    listed = lab.toolbox.run(["mdir", "-b", "-i", esp, "::EFI/Linux"], readable=[machine.disk]).decode()
    (path,) = re.findall(r"^::/?(\S+\.efi)$", listed, re.MULTILINE)
    return esp, f"::{path}"


def assert_nothing_ran(machine: Machine) -> None:
    assert machine.status() is None
    assert "pinwheel: ready" not in machine.console_text()
    machine.kill()


@pytest.mark.parametrize(
    ("partition", "block"), [("pinwheel-root-a", SUPERBLOCK), ("pinwheel-verity-a", FIRST_HASH_BLOCK)]
)
def test_one_changed_byte_of_root_or_hash_tree_stops_the_kernel(
    lab: Lab, make_machine: Callable[..., Machine], partition: str, block: int
) -> None:
    machine = make_machine("changed")
    flip_byte(machine.disk, partition_offset(lab, partition) + block * BLOCK + 1030)
    machine.start(lab.toolbox)
    wait_for_console(machine, r"verity.*corrupt", REFUSAL_TIMEOUT)
    wait_for_console(machine, r"Kernel panic - not syncing: dm-verity device corrupted", REFUSAL_TIMEOUT)
    assert_nothing_ran(machine)


def test_byte_changed_in_the_middle_of_the_engine_stops_the_kernel(
    lab: Lab, make_machine: Callable[..., Machine]
) -> None:
    machine = make_machine("changed")
    content = (lab.image.directory / "pinwheel-docker.erofs").stat().st_size
    for block in range(16, content // BLOCK, 16):  # dockerd is a third of the root, wherever it begins
        flip_byte(machine.disk, partition_offset(lab, "pinwheel-root-a") + block * BLOCK)
    machine.start(lab.toolbox)
    wait_for_console(machine, r"Kernel panic - not syncing: dm-verity device corrupted", REFUSAL_TIMEOUT)
    assert_nothing_ran(machine)


def unsigned(lab: Lab) -> bytes:
    return (lab.image.directory / "pinwheel-docker.unsigned.efi").read_bytes()


def changed_command_line(lab: Lab) -> bytes:
    signed = (lab.image.directory / "pinwheel-docker.efi").read_bytes()
    assert signed.count(b"lockdown=integrity") >= 1
    return signed.replace(b"lockdown=integrity", b"lockdown=none     ")


@pytest.mark.parametrize("kernel_image", [unsigned, changed_command_line])
def test_firmware_refuses_a_kernel_image_that_is_not_as_it_was_signed(
    lab: Lab, make_machine: Callable[..., Machine], tmp_path: Path, kernel_image: Callable[[Lab], bytes]
) -> None:
    machine = make_machine("replaced")
    file = tmp_path / "replacement.efi"
    file.write_bytes(kernel_image(lab))
    esp, path = entry_in_esp(lab, machine)
    lab.toolbox.run(["mcopy", "-o", "-i", esp, file, path], readable=[file], writable=[machine.directory])
    machine.start(lab.toolbox)
    wait_for_console(machine, r"(?i)access denied|security violation", REFUSAL_TIMEOUT)
    assert "EFI stub" not in machine.console_text()
    assert_nothing_ran(machine)
