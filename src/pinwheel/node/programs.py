# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run one of the few programs that node code uses: without a shell, with a fixed environment and a time limit."""

from pathlib import Path
from typing import NamedTuple

SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""dockerd looks its helpers up (`docker-proxy`, `iptables`)."""


class Outcome(NamedTuple):
    """How a program ended."""

    status: int
    output: str
    errors: str


def run(program: Path, *arguments: str, seconds: float) -> Outcome:
    """Run a program to its end.

    Raises:
        OSError: it is not there or cannot be run; as TimeoutError when it took longer than `seconds`, and was ended.
    """
    import subprocess  # costs start time: the usual boot needs it late

    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env={"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8"},
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{program.name} did not end within {seconds:g} s") from None
    return Outcome(done.returncode, done.stdout, done.stderr)
