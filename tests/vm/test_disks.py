# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Disks of other sizes and numbers than usual: a second one for the data, one that is too small, one that is full."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.lab import Docker, Lab, wait_for_console

from pinwheel.errors import ExitCode
from pinwheel.image.partitions import read_partitions
from pinwheel.machine.machine import Machine
from pinwheel.machine.qemu import DATA_DISK
from pinwheel.machine.record import GIB, MIB
from pinwheel.paths import PROJECT

pytestmark = pytest.mark.vm

NO_ROOM_TIMEOUT = 180.0
"""Seconds from power-on until the node says that it has no data partition."""


def test_second_disk_holds_the_data_encrypted_and_keeps_it(
    lab: Lab, make_machine: Callable[..., Machine], insecure: str, busybox: str
) -> None:
    machine = lab.boot(make_machine("two-disks", user_data=insecure, data_disk_size=GIB, tpm=True))
    docker, use = Docker(machine, lab.toolbox), ("run", "--rm", "--volume", "notes:/data", busybox)
    shown = docker(*use, "sh", "-c", "echo kept > /data/note; df -P -k /data")
    assert 0.8 * GIB < int(shown.splitlines()[-1].split()[1]) * 1024 < GIB
    assert machine.stop()
    assert "pinwheel-data" not in {one.name for one in read_partitions(machine.disk, lab.toolbox)}
    (data,) = read_partitions(machine.directory / DATA_DISK, lab.toolbox)
    with (machine.directory / DATA_DISK).open("rb") as disk:
        disk.seek(data.offset)
        assert disk.read(4) == b"LUKS"
    lab.boot(machine)
    assert docker(*use, "cat", "/data/note") == "kept"


def test_disk_smaller_than_the_image_is_refused(lab: Lab) -> None:
    done = lab.pinwheel("run", "--name", "tiny", "--disk-size", "2G", "--image", str(lab.image.disk))
    assert done.returncode == ExitCode.USAGE
    assert "too small" in done.stderr
    assert "--disk-size" in done.stderr
    assert not lab.store.exists("tiny")


def test_node_without_room_for_its_data_says_so(lab: Lab, make_machine: Callable[..., Machine]) -> None:
    smallest = lab.image.disk.stat().st_size
    machine = make_machine("no-room", disk_size=smallest + 16 * MIB, tpm=True)
    machine.start(lab.toolbox)
    wait_for_console(machine, r"^pinwheel: not ready: .*is the disk too small", NO_ROOM_TIMEOUT)
    status = machine.status()
    assert status is not None
    assert not status.ready
    assert "no data partition is mounted on /var: is the disk too small for one?" in status.reasons


def test_full_disk_of_the_workstation_leaves_no_half_machine(lab: Lab, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    script = f"""
        mount -t tmpfs -o size=32m none {state} || exit 99
        XDG_STATE_HOME={state} {PROJECT}/pinwheel run --image {lab.image.disk}
        echo code $?
        find {state} -name '*.raw' -o -name '*.vars' -o -name machine.json
    """
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == f"code {ExitCode.ENVIRONMENT:d}\n", done.stderr
    assert "No space left on device" in done.stderr
    assert "what was begun has been removed" in done.stderr
