# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A bench that is ended from outside, with a real QEMU and a real registry: neither outlives it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from tests.support.run_directory import RunDirectory

from pinwheel.image.keys import secure_boot_keys
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.machine import USER_DATA
from pinwheel.machine.process import find_process
from pinwheel.machine.store import MachineStore
from pinwheel.paths import PROJECT

WAIT = 60.0
"""Seconds for each thing to happen."""

BENCH = """
import sys
from pathlib import Path
from bench.boot.ending import unwind_on_signals
from bench.boot.settings import Settings
from bench.boot.turns import boot_by_turns
from tests.support.run_directory import RunDirectory
from pinwheel.image.keys import secure_boot_keys
from pinwheel.image.toolbox import Toolbox
from pinwheel.progress import SilentProgress

toolbox, base, keys, disk = map(Path, sys.argv[1:])
unwind_on_signals()
with RunDirectory(base) as run:
    boot_by_turns(disk, disk, 1, Settings(Toolbox(toolbox), run.store, secure_boot_keys(keys)), SilentProgress())
"""
"""What `python -m bench.boot` does, for a disk on which there is nothing to boot."""

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + WAIT
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def bench(toolbox: Toolbox, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A bench whose first machine runs."""
    disk = tmp_path / "empty.raw"
    with disk.open("wb") as file:
        file.truncate(1 << 24)
    toolbox.run(["sfdisk", "--quiet", disk], writable=[disk], input=b"label: gpt\n")
    secure_boot_keys(tmp_path / "keys")
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT}/src"}
    words = map(str, [sys.executable, "-c", BENCH, toolbox.root, tmp_path / "base", tmp_path / "keys", disk])
    with subprocess.Popen(list(words), env=environment) as process:
        yield process
        process.kill()


def running_machine(base: Path) -> tuple[str, int] | None:
    """Give the UUID of the machine that runs below `base`, and the port of the registry that it is told of."""
    for directory in base.glob("run-*/pinwheel/machines"):
        for name in (store := MachineStore(directory)).names():
            (port,) = re.findall(r"10\.0\.2\.2:(\d+)", (store.directory(name) / USER_DATA).read_text())
            uuid = store.read(name).uuid
            return (uuid, int(port)) if find_process(uuid) else None
    return None


def somebody_listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_machine_and_registry(bench: subprocess.Popen[bytes], tmp_path: Path, number: int) -> None:
    uuid, port = wait_for(lambda: running_machine(tmp_path / "base"))
    assert somebody_listens(port)
    bench.send_signal(number)
    assert bench.wait(WAIT) == 128 + number
    assert find_process(uuid) is None
    assert not somebody_listens(port)
    assert list((tmp_path / "base").iterdir()) == []


def test_bench_that_was_killed_is_cleared_away_by_the_next(bench: subprocess.Popen[bytes], tmp_path: Path) -> None:
    uuid, port = wait_for(lambda: running_machine(tmp_path / "base"))
    bench.kill()
    bench.wait(WAIT)
    wait_for(lambda: None if somebody_listens(port) else True)
    assert find_process(uuid) is not None
    with RunDirectory(tmp_path / "base"):
        assert find_process(uuid) is None
    assert list((tmp_path / "base").iterdir()) == []
