# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Finding a machine's process among real ones."""

import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from pinwheel.machine.process import find_process

SLEEP = "import time; time.sleep(30)"


def start(program: str, uuid: str) -> "subprocess.Popen[bytes]":
    """Start a process that looks like QEMU to whoever reads /proc."""
    return subprocess.Popen([program, "-c", SLEEP, "-uuid", uuid], executable=sys.executable)


@pytest.fixture
def uuid() -> str:
    return str(uuid4())


@pytest.fixture
def qemu(uuid: str) -> "Iterator[subprocess.Popen[bytes]]":
    child = start("/usr/bin/qemu-system-x86_64", uuid)
    deadline = time.monotonic() + 10
    while find_process(uuid) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    yield child
    child.kill()
    child.wait()


def test_process_is_found_by_the_uuid_of_its_machine(qemu, uuid):
    process = find_process(uuid)
    assert process is not None
    assert process.pid == qemu.pid
    assert 0 <= process.uptime() < 60
    assert not process.wait(0)


def test_process_of_another_machine_is_not_taken_for_it(qemu):
    assert find_process(str(uuid4())) is None


def test_program_that_only_mentions_the_uuid_is_not_taken_for_it(uuid):
    wrapper = start("bwrap", uuid)
    try:
        time.sleep(0.2)
        assert find_process(uuid) is None
    finally:
        wrapper.kill()
        wrapper.wait()


def test_killed_process_is_gone_even_before_its_parent_reaps_it(qemu, uuid):
    process = find_process(uuid)
    assert process is not None
    process.kill()
    assert process.wait(0)
    assert find_process(uuid) is None
    process.kill()  # once more does no harm
    assert process.uptime() >= 0


def test_waiting_ends_with_the_process(qemu, uuid):
    process = find_process(uuid)
    assert process is not None
    qemu.terminate()
    assert process.wait(10)
