# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which settings a node boots with, and how they take effect before anything that reads them has started.

The current generation counts. User data makes a new one, merged over it, when it is not the user data that was taken
last: what was changed through the API stays changed over a reboot. Nothing here stops a boot: what is bad falls by
itself and is told, with its line where it is in the user data.
"""

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import NamedTuple

from pinwheel.node import paths as places
from pinwheel.node.actuator.protocol import Author
from pinwheel.node.apply import Files, plan, write
from pinwheel.node.console import print_lines
from pinwheel.node.events import WARNING, send
from pinwheel.node.files import write_atomically
from pinwheel.node.generations.generation import SCHEMA, Draft, Generation
from pinwheel.node.in_effect import InEffect, write_in_effect
from pinwheel.node.paths import Paths
from pinwheel.node.serialize import json_file
from pinwheel.node.services.service import Service, fallen_back, has_work, rendered
from pinwheel.node.system import System
from pinwheel.node.user_data.find import Found
from pinwheel.node.view import write_view
from pinwheel.settings import changes
from pinwheel.settings.accepted import accepted
from pinwheel.settings.documents import Document
from pinwheel.settings.problem import Problem, path_text
from pinwheel.settings.tree import Settings
from pinwheel.settings.user_data import document_of, find_line, parse_user_data_as


class Chosen(NamedTuple):
    """The settings to boot with."""

    generation: Generation
    settings: Settings
    problems: list[Problem]


def configure(
    system: System, found: Found, *, has_data: bool = True, start_engine: Callable[[], object] = lambda: None
) -> list[Problem]:
    """Put the node's configuration in place, and give the problems, which are on the console by then.

    systemd is not told to read its units again, which would hold up a slow machine for seconds: no unit that
    has a drop-in of ours is loaded before it is started, at the earliest by this.

    Args:
        system: the node.
        found: the user data.
        has_data: whether the data partition is there; without it nothing is remembered.
        start_engine: called when all that the engine reads is in place.

    Raises:
        OSError: a file could not be written.
    """
    # Who is asked for a change meanwhile waits until everything has taken effect that has been chosen here.
    with system.store.lock() if has_data else nullcontext():
        problems = _configure(system, found, has_data, start_engine)
    _tell(system.paths, found.source, problems)
    return problems


def _configure(system: System, found: Found, has_data: bool, start_engine: Callable[[], object]) -> list[Problem]:
    chosen = choose(system, found, has_data=has_data)
    settings, refused = _checked(system, chosen.settings)
    files = plan(system.paths, system.services, None, settings).files
    write(system.paths, files)
    state = InEffect(chosen.generation.number)
    write_in_effect(system.paths, state)
    write_view(system, chosen.generation, state, settings)
    activated = _brought_about(system, settings, files, engine_waits=True)
    start_engine()
    activated += _brought_about(system, settings, files, engine_waits=False)
    return [*found.problems, *chosen.problems, *(_with_line(one, found.text) for one in [*refused, *activated])]


def choose(system: System, found: Found, *, has_data: bool) -> Chosen:
    """Choose the settings, and make a generation of user data that is new; with data, the caller holds the lock."""
    _, problems = parse_user_data_as(system.model, found.text)
    given = accepted(system.model, document_of(found.text))[1]
    if not has_data:
        nothing = _unsaved(given, found)
        return Chosen(nothing, accepted(system.model, given)[0], problems)
    store = system.store
    current = store.current()
    digest = hashlib.sha256(found.text).hexdigest() if found.text else ""
    if digest and (current is None or current.user_data != digest):
        current = _taken(system, current, given, found, digest)
    damaged = [_damaged(number, words) for number, words in store.damaged.items()]
    generation = current or _unsaved({}, found)
    settings, _, mistakes = accepted(system.model, generation.settings)
    old = [_stored(mistake.path, mistake.message) for mistake in mistakes]
    return Chosen(generation, settings, [*problems, *damaged, *old])


def _taken(system: System, current: Generation | None, given: Document, found: Found, digest: str) -> Generation:
    before = current.settings if current else {}
    document = changes.merge(system.model, before, given)
    paths = [path_text(("settings", *change.path)) for change in changes.diff(system.model, before, document)]
    author = Author(kind="user-data", name=found.source)
    draft = Draft(author, "user data", document, user_data=digest, changes=paths)
    return system.store.add(draft, current.number if current else 0)


def _unsaved(document: Document, found: Found) -> Generation:
    """Give a generation that is on no disk: number 0."""
    author = Author(kind="user-data", name=found.source)
    return Generation(schema=SCHEMA, number=0, parent=0, created="", author=author, reason="", settings=document)


def _damaged(number: int, words: str) -> Problem:
    message = f"generation {number} of the settings is damaged: {words}"
    return Problem("damaged", "", 0, message, "the one before it is used")


def _stored(path: tuple[str | int, ...], words: str) -> Problem:
    message = f"stored, but not good in this version: {words or 'unknown key'}"
    return Problem("bad-stored-value", path_text(("settings", *path)), 0, message, "it is ignored")


def _checked(system: System, settings: Settings) -> tuple[Settings, list[Problem]]:
    """Give settings in which every consumer has what it takes; where it refuses, its fallback."""
    problems: list[Problem] = []
    for service in system.services:
        files = rendered(service, settings)
        refused = service.check(system.paths, settings, files) if service.check and files else []
        if refused:
            settings = fallen_back(service, settings)
        problems += refused
    return settings, problems


def _brought_about(system: System, settings: Settings, files: Files, *, engine_waits: bool) -> list[Problem]:
    """Bring about what no unit does (the host name, kernel parameters), and tell the units that may run already."""
    services = [service for service in system.services if service.engine_waits is engine_waits]
    waiting = [service.activate for service in services if service.activate and has_work(service, settings)]
    problems = [problem for activate in waiting for problem in activate(system.paths, type(settings)(), settings)]
    _nudge(system, services, files)
    return problems


def _nudge(system: System, services: Iterable[Service], files: Files) -> None:
    """Have units that may be running already read their files again, without waiting: boot itself is waited for."""
    for service in services:
        if any(path.startswith(owned) for path in files for owned in service.owned):
            for action in (action for action in service.restart if action.early):
                system.units(system.paths).enqueue(action.unit, action.verb)


def _with_line(problem: Problem, text: bytes) -> Problem:
    return problem._replace(line=find_line(text, list(_keys(tomllib.loads(f"{problem.path} = 0")))))


def _keys(table: object) -> Iterator[str]:
    while isinstance(table, dict):
        ((key, table),) = table.items()
        yield key


def _tell(paths: Paths, source: str, problems: list[Problem]) -> None:
    """Tell the console, the journal, and the status service."""
    print_lines(paths, (f"pinwheel: {problem}" for problem in problems))
    for problem in problems:
        send(paths, "settings-problem", str(problem), priority=WARNING, path=problem.path, code=problem.code)
    record = {"user_data": {"source": source, "problems": [problem._asdict() for problem in problems]}}
    write_atomically(paths.at(places.BOOT_RECORD), json_file(record))
