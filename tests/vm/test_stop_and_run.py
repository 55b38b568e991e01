# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What outlives a power-off: one machine, used, switched off by its button, changed, and started again.

It has a TPM, and so its data is encrypted. Between its two runs it gets a larger disk and another kernel image of the
same key, as an update would bring it, and somebody tries to read a copy of its disk.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.lab import Docker, Lab, start_of_data, wait_for_console

from pinwheel.image.keys import secure_boot_keys
from pinwheel.image.partitions import read_partitions
from pinwheel.image.uki import sign
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import GIB

pytestmark = pytest.mark.vm

FIRST_SIZE, SECOND_SIZE = 4 * GIB, 6 * GIB
LUKS = b"LUKS\xba\xbe"
NOTE = "nobody-else-reads-this-note"
REFUSAL_TIMEOUT = 240.0
"""Seconds from power-on until the node says that its data does not open."""
PCRS = "/host/class/tpm/tpm0/pcr-sha256"


@dataclass(frozen=True)
class Restarted:
    """A machine in its second run, and what was seen of the first."""

    machine: Machine
    docker: Docker
    busybox: str
    stopped_by_itself: bool
    first_port: int
    first_data_size: int
    """Bytes."""
    first_kernel_pcr: str
    thief_said: str
    """The console of another machine, which started from a copy of the disk between the two runs."""

    def pcr(self, number: int) -> str:
        """Give a register of the TPM, in hexadecimal."""
        return self.sysfs("cat", f"{PCRS}/{number}")

    def sysfs(self, *command: str) -> str:
        """Run a command that sees the node's /sys at /host."""
        return self.docker("run", "--rm", "--pull", "never", "--volume", "/sys:/host:ro", self.busybox, *command)

    def data(self, *command: str) -> str:
        """Run a command that sees a volume at /data."""
        return self.docker("run", "--rm", "--pull", "never", "--volume", "notes:/data", self.busybox, *command)

    def data_size(self) -> int:
        """Give the bytes of the data partition."""
        return int(self.data("df", "-P", "-k", "/data").splitlines()[-1].split()[1]) * 1024


@pytest.fixture(scope="module")
def restarted(lab: Lab, insecure: str, busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarted]:
    machine = lab.boot(lab.create("kept", user_data=insecure, disk_size=FIRST_SIZE, tpm=True))
    docker = Docker(machine, lab.toolbox)
    docker("pull", busybox)
    before = Restarted(machine, docker, busybox, False, machine.record.docker_port, 0, "", "")
    before.data("sh", "-c", f"echo {NOTE} > /data/note")
    docker("run", "--detach", "--name", "service", "--restart", "always", busybox, "sleep", "600")
    size, kernel = before.data_size(), before.pcr(11)
    graceful = machine.stop()
    said = said_without_the_tpm(machine, lab, insecure)
    os.truncate(machine.disk, SECOND_SIZE)
    update_kernel_image(machine, lab, tmp_path_factory.mktemp("kernel"))
    machine.change(user_data=f'[settings.network]\nhostname = "renamed"\n{insecure}')
    lab.boot(machine)
    yield Restarted(machine, docker, busybox, graceful, before.first_port, size, kernel, said)
    lab.discard(machine)


def said_without_the_tpm(machine: Machine, lab: Lab, user_data: str) -> str:
    """Start another machine from a copy of the disk, and give what it says when it cannot open its data."""
    assert subprocess.run(["grep", "--quiet", "--text", NOTE, machine.disk], check=False).returncode == 1
    thief = lab.create("thief", user_data=user_data, tpm=True)
    shutil.copyfile(machine.disk, thief.disk)
    thief.start(lab.toolbox)
    wait_for_console(thief, r"Failed to start pinwheel-data-open", REFUSAL_TIMEOUT)
    said = thief.console_text()
    thief.kill()
    lab.discard(thief)
    return said


def update_kernel_image(machine: Machine, lab: Lab, workspace: Path) -> None:
    """Put another kernel image, signed with the same key, in the place of the one in the ESP."""
    content = (lab.image.directory / "pinwheel-docker.unsigned.efi").read_bytes()
    assert content.count(b'NAME="Pinwheel"') == 1
    other, signed = workspace / "other.efi", workspace / "signed.efi"
    other.write_bytes(content.replace(b'NAME="Pinwheel"', b'NAME="Pinwheez"'))
    sign(other, secure_boot_keys(), lab.toolbox, signed)
    (esp,) = (one for one in read_partitions(machine.disk, lab.toolbox) if one.name == "esp")
    volume = f"{machine.disk}@@{esp.offset}"
    listed = lab.toolbox.run(["mdir", "-b", "-i", volume, "::EFI/Linux"], readable=[machine.disk]).decode().split()
    (path,) = (name for name in listed if name.endswith(".efi"))
    lab.toolbox.run(["mcopy", "-o", "-i", volume, signed, path], readable=[signed], writable=[machine.directory])


def test_power_button_ends_the_node_cleanly(restarted: Restarted) -> None:
    assert restarted.stopped_by_itself
    assert "recovering journal" not in restarted.machine.console_text()


def test_volume_and_image_are_still_there(restarted: Restarted) -> None:
    assert restarted.data("cat", "/data/note") == NOTE


def test_container_with_a_restart_policy_runs_again(restarted: Restarted) -> None:
    assert restarted.docker("inspect", "--format", "{{.State.Running}}", "service") == "true"


def test_data_partition_has_grown_with_the_disk(restarted: Restarted) -> None:
    assert FIRST_SIZE / 4 < restarted.first_data_size < FIRST_SIZE / 2
    grown = restarted.data_size() - restarted.first_data_size
    assert grown > 0.9 * (SECOND_SIZE - FIRST_SIZE)


def test_changed_user_data_holds_and_the_port_of_the_api_is_the_same(restarted: Restarted) -> None:
    assert restarted.docker("info", "--format", "{{.Name}}") == "renamed"
    assert restarted.machine.record.docker_port == restarted.first_port


def test_other_kernel_image_of_the_same_key_opens_the_data(restarted: Restarted) -> None:
    assert restarted.pcr(11) != restarted.first_kernel_pcr


def test_var_is_on_an_opened_mapping_of_an_encrypted_partition(restarted: Restarted, lab: Lab) -> None:
    run = ("run", "--rm", "--pull", "never", "--volume", "/:/host:ro", restarted.busybox)
    assert "/dev/mapper/pinwheel-data /host/var ext4" in restarted.docker(*run, "cat", "/proc/mounts")
    assert start_of_data(restarted.machine, lab.toolbox).startswith(LUKS)


def test_tpm_gives_the_key_to_nobody_once_the_partition_is_open(restarted: Restarted) -> None:
    assert restarted.pcr(15) != 64 * "0"


def test_tpm_measures_with_one_hash(restarted: Restarted) -> None:
    shown = restarted.sysfs("ls", "/host/class/tpm/tpm0").split()
    assert [name for name in shown if name.startswith("pcr-")] == ["pcr-sha256"]


def test_copy_of_the_disk_does_not_open_with_another_tpm(restarted: Restarted) -> None:
    assert "Failed to unseal secret using TPM2" in restarted.thief_said
    assert "pinwheel: ready" not in restarted.thief_said
