# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Send the journal on, from where it was last left: every entry at least once, in order, however long it takes.

What cannot be sent now waits in the journal, not in memory: nothing is read that has no place to go.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from pinwheel.node.logs.entries import Entry
from pinwheel.node.logs.journal import Journal
from pinwheel.node.logs.otlp import Collector, RefusedError
from pinwheel.node.logs.syslog import Datagrams, Stream
from pinwheel.node.paths import Paths

CONFIGURATION = "forward.json"
"""The name of the service's credential."""


class Limits(NamedTuple):
    """In seconds."""

    first_pause: float = 1.0
    longest_pause: float = 60.0
    """Between two tries to send the same."""


class Destination(Protocol):
    """Somewhere that entries are sent to."""

    def send(self, entries: Sequence[Entry]) -> None:
        """Send entries; raises OSError when they have to be sent again, RefusedError when they have not."""


def main() -> int:
    """Forward until something is wrong that trying again does not help; systemd starts this anew then."""
    paths, environment = Paths(), os.environ
    configuration = json.loads(Path(environment["CREDENTIALS_DIRECTORY"], CONFIGURATION).read_bytes())
    state = Path(environment["STATE_DIRECTORY"])
    ended: SimpleQueue[str] = SimpleQueue()
    for name, destination in destinations(paths, configuration).items():
        arguments = (paths, configuration["level"], destination, state / f"{name}.cursor", name, ended)
        threading.Thread(target=_follow, args=arguments, daemon=True).start()
    _say(ended.get())
    return 1


def destinations(paths: Paths, configuration: dict[str, Any]) -> dict[str, Destination]:
    """Give the places to send to, by name."""
    found: dict[str, Destination] = {}
    if configuration["syslog"]:
        found["syslog"] = _syslog(paths, **configuration["syslog"])
    if configuration["otlp"]:
        found["otlp"] = _otlp(paths, **configuration["otlp"])
    return found


def forward(
    batches: Iterator[list[Entry]],
    destination: Destination,
    cursor: Path,
    say: Callable[[str], None],
    limits: Limits = Limits(),
) -> None:
    """Send batches, each until it has arrived, and keep the place in the journal.

    Raises:
        OSError: the place could not be written down, or there are no more batches to come.
    """
    for batch in batches:
        _deliver(batch, destination, say, limits)
        # Not to the disk each time: after a crash the last batches are sent again.
        new = cursor.with_suffix(".new")
        new.write_text(batch[-1]["__CURSOR"])
        new.replace(cursor)


def _deliver(batch: list[Entry], destination: Destination, say: Callable[[str], None], limits: Limits) -> None:
    pause = 0.0
    while True:
        try:
            destination.send(batch)
        except RefusedError as error:
            say(f"{error}: {len(batch)} entries are not sent")
            return
        except OSError as error:
            if not pause:  # not each time: what is said here is to be sent, too
                say(f"cannot send, and go on trying: {error}")
            pause = min(pause * 2 or limits.first_pause, limits.longest_pause)
            time.sleep(pause)
        else:
            if pause:
                say("sending again")
            return


def _follow(
    paths: Paths, level: str, destination: Destination, cursor: Path, name: str, ended: "SimpleQueue[str]"
) -> None:
    try:
        last = cursor.read_text() if cursor.exists() else ""
        with Journal(paths, level, last) as journal:
            forward(journal.batches(), destination, cursor, lambda words: _say(f"{name}: {words}"))
    except Exception as error:  # noqa: BLE001 - whatever it is, the process ends with it
        ended.put(f"{name}: {error!r}")


def _syslog(paths: Paths, host: str, port: int, protocol: str) -> Destination:
    if protocol == "udp":
        return Datagrams(host, port)
    if protocol == "tcp":
        return Stream(host, port)
    from pinwheel.node.trust import client_context

    context = client_context(paths)
    return Stream(host, port, lambda raw: context.wrap_socket(raw, server_hostname=host))


def _otlp(paths: Paths, url: str, headers: dict[str, str]) -> Destination:
    if not url.startswith("https:"):
        return Collector(url, headers)
    from pinwheel.node.trust import client_context

    return Collector(url, headers, client_context(paths))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
