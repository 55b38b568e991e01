# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Waiting for a node: what it says, what its console says, and its end."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from pinwheel.errors import CheckFailed, EnvironmentFault
from pinwheel.machine.machine import Machine
from pinwheel.machine.qemu import CONSOLE_LOG, STATUS_LOG


class Notes:
    """A step that remembers what it was busy with."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def total(self, amount: float) -> None:
        pass

    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.texts.append(text)


def say(machine: Machine, **status: object) -> None:
    with (machine.directory / STATUS_LOG).open("a") as file:
        file.write(json.dumps({"schema": 1, "ready": False, **status}) + "\n")


def print_line(machine: Machine, line: str) -> None:
    with (machine.directory / CONSOLE_LOG).open("a") as file:
        file.write(line + "\r\n")


def soon(action: Callable[[], object]) -> None:
    threading.Timer(0.5, action).start()


def test_ready_node_is_waited_for_and_its_version_is_remembered(running_machine):
    say(running_machine, reasons=["the engine does not answer"])
    soon(lambda: say(running_machine, ready=True, version="0.2.0"))
    assert running_machine.state() == "degraded"
    assert running_machine.wait_ready(timeout=10).version == "0.2.0"
    assert running_machine.state() == "ready"
    assert Machine("web", running_machine.store).record.version == "0.2.0"


def test_console_line_counts_where_no_status_comes(running_machine):
    soon(lambda: print_line(running_machine, "pinwheel: ready version=0.1.0 variant=docker slot=a addresses=10.0.2.15"))
    assert running_machine.wait_ready(timeout=10).addresses == ["10.0.2.15"]


def test_notes_are_the_consoles_last_lines(running_machine):
    print_line(running_machine, "[    0.5] Mounting the root")
    soon(lambda: say(running_machine, ready=True))
    notes = Notes()
    running_machine.wait_ready(timeout=10, step=notes)
    assert notes.texts == ["Mounting the root"]


def test_node_that_does_not_become_ready_fails_with_reasons_and_console(running_machine):
    say(running_machine, reasons=["docker.service failed", "no network"])
    print_line(running_machine, "something went wrong")
    with pytest.raises(CheckFailed) as caught:
        running_machine.wait_ready(timeout=0.5)
    assert "docker.service failed; no network" in caught.value.message
    assert "something went wrong" in caught.value.message


def test_end_of_the_machine_is_noticed_at_once_with_what_qemu_said(running_machine):
    (running_machine.directory / "qemu.log").write_text("qemu: out of luck\n")
    soon(running_machine.kill)
    before = time.monotonic()
    with pytest.raises(EnvironmentFault, match="out of luck"):
        running_machine.wait_ready(timeout=60)
    assert time.monotonic() - before < 10
    assert running_machine.state() == "stopped"


def test_machine_that_is_not_running_is_not_waited_for(stopped_machine):
    with pytest.raises(EnvironmentFault, match="ended before it was ready"):
        stopped_machine.wait_ready(timeout=60)
