# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Reading files that QEMU is still writing: the console's log and the node's status lines."""

import re
from pathlib import Path

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
"""ECMA-48 control sequences, operating system commands, and two-character escapes."""
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_PREFIX = re.compile(r"^(?:<\d+>)?\[[^\]]*\]\s*")
"""The kernel's time stamp, or the [  OK  ] of systemd."""


class Follower:
    """Gives what was added to a file since the last look. The file may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read_new(self) -> bytes:
        """Give the new bytes, if any."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return b""
        self._offset += len(data)
        return data


def plain_text(data: bytes) -> str:
    """Give console output as plain lines: no control sequences, no carriage returns."""
    return _CONTROLS.sub("", _ESCAPES.sub("", data.decode(errors="replace")))


def last_line(data: bytes) -> str:
    """Give the last line with something on it, without its time stamp; empty when there is none."""
    lines = (line.strip() for line in reversed(plain_text(data).splitlines()))
    return next((_PREFIX.sub("", line) for line in lines if line), "")


def tail(data: bytes, lines: int) -> str:
    """Give the last lines that have something on them."""
    return "\n".join([line for line in plain_text(data).splitlines() if line.strip()][-lines:])
