# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A machine without a virtual machine: a real directory, and a real process that /proc shows as its QEMU."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.machine.machine import Machine
from pinwheel.machine.process import find_process
from pinwheel.machine.record import MachineRecord
from pinwheel.machine.store import MachineStore, write_record


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineStore:
    """The user's machines, of which there are none yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return MachineStore()


@pytest.fixture
def stopped_machine(store: MachineStore) -> Machine:
    """The machine `web`, which has been run before."""
    with store.creating("web") as directory:
        write_record(directory, MachineRecord(name="web", image="/images/i.raw", docker_port=4711, version="0.1.0"))
        (directory / "docker").mkdir()
        (directory / "user-data.toml").touch()
    return Machine("web", store)


@pytest.fixture
def running_machine(stopped_machine: Machine) -> Iterator[Machine]:
    """The machine `web`, whose process does nothing."""
    uuid = stopped_machine.record.uuid
    words = ["qemu-system-x86_64", "-c", "import time; time.sleep(60)", "-uuid", uuid]
    child = subprocess.Popen(words, executable=sys.executable)
    deadline = time.monotonic() + 10
    while find_process(uuid) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    yield stopped_machine
    child.kill()
    child.wait()
