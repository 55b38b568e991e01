# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The node's first program: settings to files before the engine starts, then the wait for readiness.

`launch boot`, Type=notify. READY=1 is sent as soon as all that the engine reads is in place: it is ordered after it.
The process then stays until the node is ready, because a second start of Python would cost more than waiting.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pinwheel.node import paths as places
from pinwheel.node.boot_settings import configure
from pinwheel.node.console import print_lines
from pinwheel.node.files import DIRECTORY_MODE
from pinwheel.node.memory import restore_reserve
from pinwheel.node.notify import notify
from pinwheel.node.paths import Paths
from pinwheel.node.readiness import FailedUnits, Readiness, is_mounted, quick_check, with_units
from pinwheel.node.screen import status_line
from pinwheel.node.status import document, publish
from pinwheel.node.system import this_system
from pinwheel.node.user_data.find import find_user_data, sources

DATA_SECONDS = 60.0
"""How long to wait for the data partition: making it on a large disk takes longest."""
DATA_PAUSE = 0.05


class Waiting(NamedTuple):
    """The limits of the wait for readiness, in seconds."""

    pause: float = 0.2
    """Between two looks at the engine and the network."""
    units_every: float = 2.0
    """Between two looks at the units, which start a program."""
    report_every: float = 10.0
    """At least so long between two lines that say why the node is not ready, and before the first."""
    give_up_after: float = 600.0
    """Then the process leaves; the status service goes on reporting."""


def main() -> int:
    """Boot the node."""
    paths = Paths()
    with reporting(paths):
        restore_reserve(paths)
        system, found = this_system(paths), find_user_data(sources(paths))
        has_data = data_partition_is_there(paths, DATA_SECONDS)
        configure(system, found, has_data=has_data, start_engine=lambda: notify("READY=1"))
        wait_until_ready(paths)
    return 0


@contextmanager
def reporting(paths: Paths) -> Iterator[None]:
    """Hold the lock that tells the status service that this process reports."""
    import fcntl

    lock = paths.at(places.BOOT_LOCK)
    lock.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def data_partition_is_there(paths: Paths, seconds: float) -> bool:
    """Wait for /var, which holds the settings; say whether it came."""
    deadline = time.monotonic() + seconds
    while not is_mounted(paths, "/var"):
        if time.monotonic() >= deadline:
            print_lines(paths, [f"pinwheel: no data partition within {seconds:g} s: going on with user data alone"])
            return False
        time.sleep(DATA_PAUSE)
    return True


def wait_until_ready(paths: Paths, limits: Waiting = Waiting()) -> bool:
    """Wait, say what is missing whenever that changes, show the status screen at the end, and say whether it is ready.

    Raises:
        OSError: the status document could not be written.
    """
    started = time.monotonic()
    next_report = started + limits.report_every
    reported: Readiness | None = None
    units = FailedUnits(paths, limits.units_every)
    while True:
        now, readiness = time.monotonic(), quick_check(paths)
        report_due, over = now >= next_report, now - started > limits.give_up_after
        if readiness.ready or report_due or over:
            readiness = with_units(readiness, units.look())
        if readiness.ready or over:
            publish(paths, document(paths, readiness), loud=True)
            return readiness.ready
        if report_due and readiness != reported:
            _say_not_ready(paths, readiness)
            reported, next_report = readiness, now + limits.report_every
        time.sleep(limits.pause)


def _say_not_ready(paths: Paths, readiness: Readiness) -> None:
    status = document(paths, readiness)
    publish(paths, status, loud=False)
    print_lines(paths, [status_line(status)])
