# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Follow the journal: journalctl(1) writes entries, here they are read in batches."""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from pinwheel.node.logs.entries import FIELDS, Entry
from pinwheel.node.paths import JOURNALCTL, Paths
from pinwheel.node.programs import SEARCH_PATH

LARGEST_BATCH = 256
"""Entries, from which on a batch is full; the last ones that were read come with it."""
BATCH_SECONDS = 1.0
"""How long the first entry of a batch waits for others."""
_CHUNK = 64 * 1024


class Journal:
    """Entries that journalctl writes, from a cursor on, or from the beginning of this boot."""

    def __init__(self, paths: Paths, level: str, cursor: str) -> None:
        since = f"--after-cursor={cursor}" if cursor else "--boot"
        fields = f"--output-fields={','.join(FIELDS)}"
        options = ("--output=json", fields, "--all", "--quiet", "--follow", "--no-tail", f"--priority={level}", since)
        self._process = subprocess.Popen(
            [paths.at(JOURNALCTL), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8"},
        )
        if self._process.stdout is None:
            raise OSError("journalctl has no output")
        self._output = self._process.stdout
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._output.close()

    def batches(self) -> Iterator[list[Entry]]:
        """Give batches of entries, for ever.

        Raises:
            OSError: journalctl has ended.
        """
        waiting: list[Entry] = []
        due = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                readable = selector.select(max(0.0, due - time.monotonic()) if waiting else None)
                new = self._read() if readable else []
                due = due if waiting else time.monotonic() + BATCH_SECONDS
                waiting += new
                if len(waiting) >= LARGEST_BATCH or (waiting and time.monotonic() >= due):
                    yield waiting
                    waiting = []

    def _read(self) -> list[Entry]:
        chunk = os.read(self._output.fileno(), _CHUNK)
        if not chunk:
            raise OSError(f"journalctl ended with status {self._process.wait()}")
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines if line]
