# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The VM tests' own housekeeping: a run that was killed leaves machines, and the next run clears them away."""

import subprocess
import sys
from pathlib import Path

from tests.support.lab import Lab

from pinwheel.image.build import BuiltImage
from pinwheel.image.keys import secure_boot_keys
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.record import MachineRecord
from pinwheel.machine.store import MachineStore, write_record


def new_lab(tmp_path: Path, toolbox: Toolbox) -> Lab:
    return Lab(tmp_path / "base", BuiltImage(tmp_path, "docker"), toolbox, secure_boot_keys(tmp_path / "keys"))


def put_machine(store: MachineStore, name: str) -> subprocess.Popen[bytes]:
    """Put a machine into a store, and start a process that /proc shows as its QEMU."""
    record = MachineRecord(name=name, image="/images/i.raw", docker_port=4711)
    with store.creating(name) as directory:
        write_record(directory, record)
    words = ["qemu-system-x86_64", "-c", "import time; print(flush=True); time.sleep(60)", "-uuid", record.uuid]
    process = subprocess.Popen(words, executable=sys.executable, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)  # it has its name by now
    return process


def test_machines_of_a_dead_run_end_and_those_of_a_live_run_stay(tmp_path: Path, toolbox: Toolbox) -> None:
    dead = MachineStore(tmp_path / "base/run-dead/pinwheel/machines")
    left_over = put_machine(dead, "left-over")
    with new_lab(tmp_path, toolbox) as live:
        assert left_over.wait(10) != 0
        assert not (tmp_path / "base/run-dead").exists()
        running = put_machine(live.store, "running")
        with new_lab(tmp_path, toolbox):
            assert running.poll() is None
            assert live.store.names() == ["running"]
    assert running.wait(10) != 0
    assert list((tmp_path / "base").iterdir()) == []
