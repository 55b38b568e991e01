# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Writing to the console and to the host's status port: best effort, because a node must not hang on who listens."""

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pinwheel.node.paths import CONSOLE, MOTD, STATUS_PORT, Paths
from pinwheel.node.screen import status_line, status_screen


def print_lines(paths: Paths, lines: Iterable[str]) -> None:
    """Print lines on the console; without one, print nothing."""
    text = "".join(f"{line}\n" for line in lines)
    _write(paths, CONSOLE, text.encode("utf-8", "replace"), os.O_NOCTTY)


def report(paths: Paths, status: dict[str, Any], line: bytes, *, loud: bool) -> None:
    """Give the status document, as the JSON `line`, to the status port, and show it on the console when `loud`."""
    _write(paths, STATUS_PORT, line, os.O_NONBLOCK)
    if loud:
        print_lines(paths, [status_screen(status, paths.text(MOTD)), status_line(status)])


def _write(paths: Paths, path: str, data: bytes, flags: int) -> None:
    # No O_CREAT: where there is no such device, nothing must come into being in its place.
    with suppress(OSError):
        descriptor = os.open(paths.at(path), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | flags)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)
