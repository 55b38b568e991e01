# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What /var is put on: the real generator, compiled as for the image, on a /sys and a /dev that a test has made."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pinwheel.image.initrd import compile_static
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.tree import DEFINITION

IMAGE = DEFINITION / "root"
BLANK, LUKS, EXT4 = (
    b"\0" * (1 << 21),
    b"LUKS\xba\xbe\0\2".ljust(1 << 21, b"\0"),
    b"\0" * 1080 + b"\x53\xef" + b"\0" * 4096,
)

OPEN_SYSTEM = {
    "var.mount.d/20-encrypted.conf": "data-disk/var-encrypted.conf",
    "pinwheel-data-open.service.d/10-device.conf": "data-disk/open-system.conf",
}
OPEN_EXTERNAL = {
    "systemd-repart.service": "/dev/null",
    "var.mount.d/20-encrypted.conf": "data-disk/var-encrypted.conf",
    "pinwheel-data-open.service.d/10-device.conf": "data-disk/open-external.conf",
}
PLAIN_EXTERNAL = {
    "systemd-repart.service": "/dev/null",
    "var.mount.d/10-external.conf": "data-disk/var-external.conf",
}
TELL_TPM = {"var.mount.requires/pinwheel-data-plain.service": "system/pinwheel-data-plain.service"}


@dataclass(frozen=True)
class Hardware:
    """A machine's /sys and /dev, as far as the generator looks at them."""

    root: Path
    program: Path

    def partition(self, name: str, disk: str, label: str, content: bytes) -> None:
        """Put a partition on a disk."""
        sysfs = self.root / "sys/devices/pci0000:00/virtio1/block" / disk / name
        sysfs.mkdir(parents=True)
        (sysfs / "uevent").write_text(f"DEVNAME={name}\nPARTN=1\nPARTNAME={label}\n")
        link = self.root / "sys/class/block" / name
        link.symlink_to(f"../../devices/pci0000:00/virtio1/block/{disk}/{name}")
        (self.root / "dev" / name).write_bytes(content)

    def tpm(self) -> None:
        """Put a TPM 2.0 into the machine."""
        (self.root / "sys/class/tpmrm/tpmrm0").mkdir(parents=True)

    def choice(self) -> dict[str, str]:
        """Run the generator; give each link that it made, and where that leads (the end of a path of the image)."""
        output = self.root / "output"
        for directory in ("normal", "early", "late"):
            (output / directory).mkdir(parents=True)
        binds = [word for name in ("sys", "dev") for word in ("--bind", str(self.root / name), f"/{name}")]
        places = [f"/output/{directory}" for directory in ("normal", "early", "late")]
        command = ["bwrap", *binds, "--bind", str(output), "/output", "--ro-bind", str(self.program), "/generator"]
        subprocess.run([*command, "/generator", *places], check=True)
        made = sorted(path for path in (output / "early").rglob("*") if path.is_symlink())
        assert not [path for path in output.rglob("*") if path.is_file() and not path.is_symlink()]
        return {str(path.relative_to(output / "early")): shortened(path.readlink()) for path in made}


def shortened(target: Path) -> str:
    """Give the last two parts of a path of the image, which must be in it."""
    if target == Path("/dev/null"):
        return str(target)
    assert (IMAGE / str(target).lstrip("/")).is_file(), f"{target} is not in the image"
    return "/".join(target.parts[-2:])


@pytest.fixture(scope="module")
def program(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("generator") / "pinwheel-data-disk"
    compile_static(DEFINITION / "generators/data-disk.c", output, toolbox)
    return output


@pytest.fixture
def hardware(program: Path, tmp_path: Path) -> Hardware:
    for directory in ("sys/class/block", "dev"):
        (tmp_path / directory).mkdir(parents=True)
    machine = Hardware(tmp_path, program)
    machine.partition("vda2", "vda", "pinwheel-root-a", EXT4)
    return machine


def test_first_boot_without_a_tpm_makes_a_plain_partition(hardware: Hardware) -> None:
    assert hardware.choice() == {}


def test_first_boot_with_a_tpm_makes_an_encrypted_one(hardware: Hardware) -> None:
    hardware.tpm()
    assert hardware.choice() == {
        **OPEN_SYSTEM,
        "systemd-repart.service.d/10-encrypt.conf": "data-disk/repart-encrypt.conf",
    }


def test_encrypted_partition_is_opened_and_only_grown(hardware: Hardware) -> None:
    hardware.partition("vda6", "vda", "pinwheel-data", LUKS)
    hardware.tpm()
    assert hardware.choice() == OPEN_SYSTEM


def test_encrypted_partition_is_never_mounted_without_its_tpm(hardware: Hardware) -> None:
    hardware.partition("vda6", "vda", "pinwheel-data", LUKS)
    assert hardware.choice() == OPEN_SYSTEM


def test_plain_partition_stays_plain_and_the_tpm_is_told(hardware: Hardware) -> None:
    hardware.partition("vda6", "vda", "pinwheel-data", EXT4)
    hardware.tpm()
    assert hardware.choice() == TELL_TPM


def test_empty_partition_of_the_system_disk_is_not_taken_for_one_to_make(hardware: Hardware) -> None:
    hardware.partition("vda6", "vda", "pinwheel-data", BLANK)
    hardware.tpm()
    assert hardware.choice() == TELL_TPM


@pytest.mark.parametrize("content", [BLANK, EXT4])
def test_external_disk_without_a_tpm_is_formatted_where_it_is_empty(hardware: Hardware, content: bytes) -> None:
    hardware.partition("vdb1", "vdb", "pinwheel-external-data", content)
    assert hardware.choice() == PLAIN_EXTERNAL


def test_empty_external_disk_is_encrypted_where_a_tpm_is(hardware: Hardware) -> None:
    hardware.partition("nvme1n1p1", "nvme1n1", "pinwheel-external-data", BLANK)
    hardware.tpm()
    assert hardware.choice() == {
        **OPEN_EXTERNAL,
        "pinwheel-data-open.service.requires/pinwheel-data-encrypt@nvme1n1.service": (
            "system/pinwheel-data-encrypt@.service"
        ),
    }


def test_empty_partition_beside_another_one_is_formatted_in_its_place(hardware: Hardware) -> None:
    hardware.partition("vdb1", "vdb", "pinwheel-external-data", BLANK)
    hardware.partition("vdb2", "vdb", "somebody-else", BLANK)
    hardware.tpm()
    assert hardware.choice() == PLAIN_EXTERNAL | TELL_TPM


def test_external_disk_that_holds_something_is_not_encrypted(hardware: Hardware) -> None:
    hardware.partition("vdb1", "vdb", "pinwheel-external-data", EXT4)
    hardware.tpm()
    assert hardware.choice() == PLAIN_EXTERNAL | TELL_TPM


def test_external_disk_that_cannot_be_read_is_not_encrypted(hardware: Hardware) -> None:
    hardware.partition("vdb1", "vdb", "pinwheel-external-data", b"")
    hardware.tpm()
    assert hardware.choice() == PLAIN_EXTERNAL | TELL_TPM


def test_external_encrypted_disk_is_opened(hardware: Hardware) -> None:
    hardware.partition("vdb1", "vdb", "pinwheel-external-data", LUKS)
    hardware.tpm()
    assert hardware.choice() == OPEN_EXTERNAL


def test_external_disk_comes_before_the_data_partition_of_the_system(hardware: Hardware) -> None:
    hardware.partition("vda6", "vda", "pinwheel-data", LUKS)
    hardware.partition("vdb1", "vdb", "pinwheel-external-data", LUKS)
    assert hardware.choice() == OPEN_EXTERNAL
