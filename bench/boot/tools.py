# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run programs for the bench."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pinwheel.errors import EnvironmentFault
from pinwheel.image.toolbox import Toolbox


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
