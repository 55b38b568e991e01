# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The node's first program: user data to files before the engine starts, then the wait for readiness.

`launch boot`, Type=notify. READY=1 is sent as soon as the files are in place: the engine is ordered after it. The
process then stays until the node is ready, because a second start of Python would cost more than waiting.
"""

import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pinwheel.node import paths as places
from pinwheel.node.console import print_lines
from pinwheel.node.files import DIRECTORY_MODE, RenderedFile, put_in_place, write_atomically
from pinwheel.node.memory import restore_reserve
from pinwheel.node.notify import notify
from pinwheel.node.paths import Paths
from pinwheel.node.readiness import FailedUnits, Readiness, quick_check
from pinwheel.node.screen import status_line
from pinwheel.node.serialize import json_file
from pinwheel.node.services.service import Files, fallen_back, has_work, rendered
from pinwheel.node.services.table import SERVICES
from pinwheel.node.status import document, publish
from pinwheel.node.user_data.find import Found, find_user_data, sources
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings
from pinwheel.settings.user_data import find_line, parse_user_data


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
        configure(paths, find_user_data(sources(paths)))
        notify("READY=1")
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


def configure(paths: Paths, found: Found) -> list[Problem]:
    """Put the node's configuration in place and give the problems of the user data, which are on the console by then.

    Raises:
        OSError: a file could not be written.
    """
    settings, problems = parse_user_data(found.text)
    settings, files, refused = _checked(paths, settings)
    put_in_place(paths, files, tuple(name for service in SERVICES for name in service.owned))
    own = [*refused, *_activated(paths, settings)]
    problems = [*found.problems, *problems, *(_with_line(problem, found.text) for problem in own)]
    print_lines(paths, (f"pinwheel: {problem}" for problem in problems))
    _record(paths, found.source, problems, settings)
    return problems


def _checked(paths: Paths, settings: Settings) -> tuple[Settings, Files, list[Problem]]:
    """Render for every service what it takes; where it refuses, its fallback."""
    files: dict[str, RenderedFile] = {}
    problems: list[Problem] = []
    for service in SERVICES:
        candidate = rendered(service, settings)
        refused = service.check(paths, settings, candidate) if service.check and candidate else []
        if refused:
            settings = fallen_back(service, settings)
            candidate = rendered(service, settings)
        files |= candidate
        problems += refused
    return settings, files, problems


def _activated(paths: Paths, settings: Settings) -> list[Problem]:
    """Bring about what no unit does: the host name, kernel parameters."""
    waiting = [service.activate for service in SERVICES if service.activate and has_work(service, settings)]
    return [problem for activate in waiting for problem in activate(paths, type(settings)(), settings)]


def _with_line(problem: Problem, text: bytes) -> Problem:
    return problem._replace(line=find_line(text, list(_keys(tomllib.loads(f"{problem.path} = 0")))))


def _keys(table: object) -> Iterator[str]:
    while isinstance(table, dict):
        ((key, table),) = table.items()
        yield key


def _record(paths: Paths, source: str, problems: list[Problem], settings: Settings) -> None:
    remote = settings.docker.remote
    record = {
        "user_data": {"source": source, "problems": [problem._asdict() for problem in problems]},
        "docker": {"remote": {"port": remote.port} if remote.enabled else None},
    }
    write_atomically(paths.at(places.BOOT_RECORD), json_file(record))


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
            readiness = Readiness((*readiness.reasons, *units.look()))
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
