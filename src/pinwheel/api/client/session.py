# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What all verbs share: which node, how much to say, and how results and waiting are shown."""

import itertools
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pinwheel.api.client.http import Client
from pinwheel.api.client.text import clean, commit_lines, pretty
from pinwheel.api.client.transport import Transport, UnixTransport

_SILENT_SECONDS = 0.7
"""What is done sooner needs no sign of life."""
_TICK = 0.2


@dataclass
class Session:
    """One call of the client."""

    transport: Transport
    program: str = "apiclient"
    """How this is called: for hints that say what to type."""
    verbose: bool = False

    @property
    def local(self) -> bool:
        """Whether this is the node's own client, which may be led to another socket."""
        return isinstance(self.transport, UnixTransport)

    @property
    def client(self) -> Client:
        """The node's API."""
        return Client(self.transport, self._trace if self.verbose else lambda _line: None)

    def _trace(self, line: str) -> None:
        note(clean(line))


def say(line: str) -> None:
    """Write a line of the result."""
    print(line)


def note(line: str) -> None:
    """Write a line about the way there."""
    print(line, file=sys.stderr, flush=True)


def show(value: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Write a result, for programs or for people."""
    for line in [pretty(value)] if as_json else lines:
        say(line)


def show_commit(
    commit: Mapping[str, Any], *, as_json: bool, dry_run: bool = False, try_seconds: int | None = None
) -> None:
    """Write what a commit did: for people on standard error, because Bottlerocket's client writes nothing here."""
    if as_json:
        say(pretty(commit))
        return
    for line in commit_lines(commit, dry_run=dry_run, try_seconds=try_seconds):
        note(line)


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Show on a terminal that something is being done, and for how long, until the block ends."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(title, done), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(title: str, done: threading.Event) -> None:
    if done.wait(_SILENT_SECONDS):
        return
    for count, sign in enumerate(itertools.cycle("|/-\\")):
        seconds = _SILENT_SECONDS + count * _TICK
        sys.stderr.write(f"\r{sign} {title} ... {seconds:.0f} s")
        sys.stderr.flush()
        if done.wait(_TICK):
            break
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
