# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Waiting for a node to become ready, with the console's last line as the note of what it is busy with."""

import time
from pathlib import Path
from typing import Protocol

from pinwheel.errors import CheckFailed, EnvironmentFault
from pinwheel.machine.follow import Follower, last_line
from pinwheel.machine.node_status import NodeStatus
from pinwheel.machine.process import MachineProcess
from pinwheel.machine.qemu import CONSOLE_LOG
from pinwheel.progress import Step

READY_TIMEOUT = 300.0
"""Seconds from power-on to a node that is ready, at most. Under emulation it takes 20 to 40 on two idle cores."""
_LOOK_EVERY = 0.2
"""Seconds between two looks at the node's status."""
_NOTE_LENGTH = 60
"""Characters of a console line that fit beside a progress bar."""


class Watched(Protocol):
    """What waiting needs of a machine."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def directory(self) -> Path:
        """Where its console log is."""

    def process(self) -> MachineProcess | None:
        """Its QEMU, or None."""

    def status(self) -> NodeStatus | None:
        """What the node last said."""

    def console_tail(self, lines: int = 20) -> str:
        """The end of its console."""

    def qemu_output(self) -> str:
        """What QEMU printed."""


def wait_until_ready(machine: Watched, timeout: float, step: Step | None) -> NodeStatus:
    """See `Machine.wait_ready`."""
    console = Follower(machine.directory / CONSOLE_LOG)
    deadline = time.monotonic() + timeout
    process = machine.process()
    while process and not process.wait(_LOOK_EVERY):
        status = machine.status()
        if status and status.ready:
            return status
        if step and (line := last_line(console.read_new())):
            step.note(line[:_NOTE_LENGTH])
        if time.monotonic() > deadline:
            raise _not_ready(machine, status, timeout)
    raise _ended(machine)


def _not_ready(machine: Watched, status: NodeStatus | None, timeout: float) -> CheckFailed:
    reasons = "; ".join(status.reasons) if status else "the node has said nothing about itself"
    return CheckFailed(
        f"the machine {machine.name} was not ready within {timeout:.0f} s: {reasons}\n"
        f"The end of its console:\n{machine.console_tail()}",
        "start it with --detach to keep it running and look at it with `pinwheel console`",
    )


def _ended(machine: Watched) -> EnvironmentFault:
    said = machine.qemu_output() or "QEMU said nothing."
    return EnvironmentFault(
        f"the machine {machine.name} ended before it was ready. {said}\n"
        f"The end of its console:\n{machine.console_tail()}",
        "is another command stopping it? else the console's last lines say what went wrong",
    )
