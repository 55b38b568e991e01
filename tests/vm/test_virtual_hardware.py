# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The virtual machine itself, without a node in it: QEMU, its firmware, and what becomes of both."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.inputs import BuildContext, get_toolbox
from pinwheel.image.keys import SecureBootKeys, secure_boot_keys
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import MIB, PortForward
from pinwheel.machine.store import MachineStore
from pinwheel.progress import SilentProgress

pytestmark = pytest.mark.vm

LOADER = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
ESP_START = MIB
ESP_SIZE = 63 * MIB


@pytest.fixture(scope="module")
def toolbox() -> Toolbox:
    return get_toolbox(BuildContext(SilentProgress()))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SecureBootKeys:
    return secure_boot_keys(tmp_path_factory.mktemp("keys") / "secure-boot")


@pytest.fixture(scope="module")
def image(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk whose boot loader nobody has signed."""
    directory = tmp_path_factory.mktemp("image")
    disk, esp = directory / "image.raw", directory / "esp"
    for path, size in ((disk, 65 * MIB), (esp, ESP_SIZE)):
        path.touch()
        os.truncate(path, size)
    table = f"label: gpt\nstart={ESP_START // 512}, size={ESP_SIZE // 512}, type=U\n"
    toolbox.run(["sfdisk", "--quiet", disk], writable=[directory], input=table.encode())
    toolbox.run(["mkfs.vfat", "-F", "32", esp], writable=[directory])
    toolbox.run(["mmd", "-i", esp, "::EFI", "::EFI/BOOT"], writable=[directory])
    toolbox.run(["mcopy", "-i", esp, LOADER, "::EFI/BOOT/BOOTX64.EFI"], writable=[directory])
    with disk.open("r+b") as file:
        file.seek(ESP_START)
        file.write(esp.read_bytes())
    return disk


@pytest.fixture
def machine(image: Path, toolbox: Toolbox, keys: SecureBootKeys, tmp_path: Path) -> Iterator[Machine]:
    store = MachineStore(tmp_path / ("a-long-state-directory-" * 6))
    made = Machine.create(
        "bare", image=image, toolbox=toolbox, keys=keys, store=store, memory=512 * MIB, disk_size=128 * MIB
    )
    yield made
    made.remove()
    assert store.names() == []


def wait_for_console(machine: Machine, text: str, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while text not in machine.console_text():
        assert time.monotonic() < deadline, machine.console_text()
        time.sleep(0.1)


def test_firmware_refuses_a_loader_that_our_key_has_not_signed(machine, toolbox):
    machine.start(toolbox)
    wait_for_console(machine, "Access Denied")
    assert machine.state() == "booting"


def test_machine_outlives_the_process_that_started_it_and_is_stopped_by_another(machine, toolbox):
    machine.start(toolbox)
    machine.start(toolbox)  # once more does nothing
    other = Machine("bare", machine.store)
    assert other.is_running()
    assert not other.stop(timeout=0.5)  # nobody is there to see the power button
    assert not machine.is_running()
    assert machine.stop()


def test_disk_and_docker_port_stay_between_two_starts(machine, toolbox):
    machine.start(toolbox)
    port = machine.record.docker_port
    machine.kill()
    with machine.disk.open("r+b") as disk:
        disk.seek(100 * MIB)
        disk.write(b"kept")
    machine.change(memory=768 * MIB)
    machine.start(toolbox)
    assert machine.record.docker_port == port
    process = machine.process()
    assert process is not None
    assert b"768M" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    machine.kill()
    with machine.disk.open("rb") as disk:
        disk.seek(100 * MIB)
        assert disk.read(4) == b"kept"


def test_port_in_use_is_refused_before_anything_starts(machine, toolbox):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        machine.change(publish=[PortForward(host=listener.getsockname()[1], guest=80)])
        with pytest.raises(UsageFault, match="cannot be published"):
            machine.start(toolbox)
    assert not machine.is_running()


def test_qemu_that_fails_is_quoted(machine, toolbox):
    machine.disk.rename(machine.directory / "elsewhere.raw")
    with pytest.raises(EnvironmentFault, match=r"disk\.raw.*No such file"):
        machine.start(toolbox)
    assert not machine.is_running()
