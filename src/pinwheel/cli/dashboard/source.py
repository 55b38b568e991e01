# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where the dashboard's facts come from: a node that may go away at any time, and come back."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.http import Client
from pinwheel.api.client.transport import Transport
from pinwheel.cli.dashboard.facts import Look, read_samples
from pinwheel.errors import PinwheelError

PATIENCE = 30.0
"""Seconds for one answer."""
GENERATIONS = 20
FIRST_LINES = 100
"""Of the log, before it is followed."""

Told = TypeVar("Told")
OnLook = Callable[[Look], None]
OnLine = Callable[[Mapping[str, Any]], None]
OnFailure = Callable[[str], None]


class Watch:
    """Looks at a node again and again, in threads of its own that end with the program."""

    def __init__(self, transport: Transport, every: float) -> None:
        """Take the way to the node, and the seconds between two looks."""
        self._client = Client(transport, patience=PATIENCE)
        self._every = every
        self._over = threading.Event()
        self._now = threading.Event()
        self._last_time = ""

    def start(self, on_look: OnLook, on_line: OnLine, on_failure: OnFailure) -> None:
        """Begin; the functions are called from the threads."""
        for work in (lambda: self._look(on_look, on_failure), lambda: self._follow(on_line)):
            # Daemons: one may wait for the next line of a log, and need not be waited for.
            threading.Thread(target=work, daemon=True).start()

    def look_now(self) -> None:
        """Do not wait until it is time."""
        self._now.set()

    def stop(self) -> None:
        """Call no function any more."""
        self._over.set()
        self._now.set()

    def _look(self, on_look: OnLook, on_failure: OnFailure) -> None:
        while not self._over.is_set():
            try:
                found = look(self._client)
            except (ApiFailed, PinwheelError) as failure:
                self._tell(on_failure, failure.message)
            else:
                self._tell(on_look, found)
            self._now.wait(self._every)
            self._now.clear()

    def _follow(self, on_line: OnLine) -> None:
        while not self._over.is_set():
            with suppress(ApiFailed, PinwheelError):  # the other thread says so
                self._read_log(on_line)
            self._over.wait(self._every)

    def _read_log(self, on_line: OnLine) -> None:
        query = {"follow": True, "lines": FIRST_LINES, "since": self._last_time}
        for text in self._client.lines("/logs", query):
            if self._over.is_set():
                return
            line = _line(text)
            # What has the time of the last one was shown before the connection broke.
            if line and str(line["time"]) > self._last_time:
                self._last_time = str(line["time"])
                self._tell(on_line, line)

    def _tell(self, call: Callable[[Told], None], what: Told) -> None:
        if not self._over.is_set():
            call(what)


def look(client: Client) -> Look:
    """Look at a node once; raises ApiFailed."""
    status = client.get("/status")
    samples = read_samples(client.ask("GET", "/metrics").body.decode(errors="replace"))
    containers = client.get("/containers")
    history = client.get("/settings/generations", limit=GENERATIONS)
    return Look(time.monotonic(), status, samples, containers, history["generations"])


def _line(text: str) -> Mapping[str, Any]:
    try:
        line = json.loads(text) if text else {}
    except ValueError:
        return {}
    return line if isinstance(line, dict) and "time" in line else {}
