# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run programs for the bench."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pinwheel.errors import EnvironmentFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.machine import Machine

_STAT_UTIME, _STAT_STIME = 14 - 3, 15 - 3
"""Indexes of the fields, counted behind the command's name, which may itself hold spaces (proc_pid_stat(5))."""


def run(command: Sequence[str], cwd: Path | None = None) -> None:
    """Run a program of the workstation to its end.

    Raises:
        EnvironmentFault: it failed; the message has the last lines that it printed.
    """
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise EnvironmentFault(f"{command[0]} failed with code {done.returncode}:\n{tail}")


def compressed_size(toolbox: Toolbox, disk: Path) -> int:
    """Give the bytes to download: the raw disk image as `zstd -10` packs it, for either system.

    Raises:
        EnvironmentFault: zstd failed.
    """
    command = toolbox.command(["zstd", "-T0", "-10", "--quiet", "--stdout", disk], readable=[disk.parent])
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        stream = process.stdout
        size = sum(len(piece) for piece in iter(lambda: stream.read(1 << 20), b"")) if stream else 0
    if process.returncode:
        raise EnvironmentFault(f"zstd failed on {disk} with code {process.returncode}", "is the disk full?")
    return size


def processor_time(machine: Machine) -> float:
    """Give the processor seconds that the machine's QEMU has used so far; 0 when it has ended."""
    process = machine.process()
    return parse_processor_time(Path(f"/proc/{process.pid}/stat").read_text()) if process else 0.0


def parse_processor_time(stat: str) -> float:
    """Read a process's seconds in user mode and in the kernel out of its /proc/PID/stat."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_STAT_UTIME]) + int(fields[_STAT_STIME])) / os.sysconf("SC_CLK_TCK")
