# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Finding the QEMU process of a machine, and waiting for its end.

There is no pid file that could be stale: the machine's UUID stands on QEMU's command line, and /proc tells who runs
with it. A process is held by a pidfd, so a pid that is used again is never mistaken for it.
"""

import contextlib
import os
import select
import signal
import time
from pathlib import Path

from pinwheel.machine.qemu import PROGRAM

_STAT_STARTTIME = 22 - 3
"""Index of the field, counted behind the command's name, which may itself hold spaces (proc_pid_stat(5))."""


class MachineProcess:
    """A running QEMU."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; tell whether it has ended."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def kill(self) -> None:
        """End it at once and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        self.wait(timeout=10)

    def uptime(self) -> float:
        """Give the seconds since it was started; 0 when it has just ended."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return 0.0
        ticks = int(stat.rpartition(")")[2].split()[_STAT_STARTTIME])
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def find_process(uuid: str) -> MachineProcess | None:
    """Give the QEMU that runs the machine with this UUID, or None."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _runs_machine(entry, uuid):
            return _hold(int(entry.name), uuid)
    return None


def _runs_machine(entry: Path, uuid: str) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or somebody else's under hidepid
        return False
    return os.path.basename(words[0]) == PROGRAM.encode() and uuid.encode() in words  # noqa: PTH119 - bytes


def _hold(pid: int, uuid: str) -> MachineProcess | None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    process = MachineProcess(pid, descriptor)
    # Between the look at the command line and the pidfd the pid may have changed hands.
    return process if _runs_machine(Path(f"/proc/{pid}"), uuid) else None
