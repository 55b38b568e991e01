# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Follow a machine's console log line by line, and note when each line came."""

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pinwheel.machine.follow import Follower, plain_text

_LOOK_EVERY = 0.02
"""Seconds: how late a time stamp may be."""


@dataclass(frozen=True)
class Line:
    """A line without its control sequences."""

    at: float
    """Seconds since the clock's start."""
    text: str


class Console:
    """The lines that have come so far; a thread of its own looks for them, so that no time stamp waits for anybody."""

    def __init__(self, log: Path, started: float) -> None:
        """Follow `log`, which need not exist yet; `started` is when the machine was switched on (`time.monotonic`)."""
        self._log = Follower(log)
        self._started = started
        self._lines: list[Line] = []
        self._unfinished = b""
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def text(self) -> str:
        """Give all lines so far."""
        with self._news:
            return "\n".join(line.text for line in self._lines)

    def wait_for(self, pattern: str, timeout: float) -> Line:
        """Wait for a line in which the regular expression is found, also among those that came before.

        Raises:
            TimeoutError: none came within `timeout` seconds; the message has the console's last lines.
        """
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen = 0
        with self._news:
            while True:
                found = next((line for line in self._lines[seen:] if wanted.search(line.text)), None)
                if found:
                    return found
                seen = len(self._lines)
                if (remaining := deadline - time.monotonic()) <= 0:
                    raise TimeoutError(f"no line like {pattern!r} on the console; its end:\n{self._tail()}")
                self._news.wait(remaining)

    def _tail(self) -> str:
        return "\n".join(f"{line.at:7.2f} {line.text}" for line in self._lines[-20:])

    def _follow(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            if new := self._log.read_new():
                self._take(new, time.monotonic() - self._started)

    def _take(self, new: bytes, at: float) -> None:
        *whole, self._unfinished = (self._unfinished + new).split(b"\n")
        with self._news:
            self._lines += [Line(at, plain_text(line).strip()) for line in whole]
            self._news.notify_all()
