# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Put settings into effect: render, check, put in place, restart what reads the files, and see that it is well.

Only what differs from the disk is written, and only what reads a file that was written is restarted. When a unit is not
well afterwards, everything is put back as it was.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pinwheel.node.files import RenderedFile, read_rendered, remove, write_atomically
from pinwheel.node.paths import UNITS_DIRECTORY, Paths
from pinwheel.node.services.service import Service, UnitAction, reads_change, rendered
from pinwheel.node.units import Health, Units, illness
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings

Files = Mapping[str, RenderedFile | None]
"""What is to be at a place; None for nothing."""
OnProgress = Callable[[str], None]


class RefusedError(Exception):
    """A consumer's own checker objects. Nothing was touched."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = list(problems)


class ApplyError(Exception):
    """Something was not well with the new settings. Everything is back as it was, as far as `left` is empty."""

    def __init__(self, words: str, problems: Sequence[Problem], left: str) -> None:
        super().__init__(words)
        self.problems = list(problems)
        """What some consumer did not take, such as a value that the kernel refuses."""
        self.left = left
        """What could not be put back; empty when all is as before."""


class Plan(NamedTuple):
    """What applying settings would do."""

    files: dict[str, RenderedFile | None]
    """Those that differ from the disk."""
    services: list[Service]
    """Those whose settings differ, or whose files do."""
    actions: list[UnitAction]
    """In the order of the services; each unit once."""


class Applied(NamedTuple):
    """What was done."""

    files: list[str]
    units: list[str]


def plan(
    paths: Paths, services: Iterable[Service], old: Settings | None, new: Settings, unsure: Sequence[Settings] = ()
) -> Plan:
    """Compare what settings ask for with what is there; reads files, and changes none.

    Args:
        paths: where they are.
        services: those to look at.
        old: the settings in effect; None when that is not known: every service counts as affected then.
        new: the settings to come.
        unsure: after a crash, all that units may be running on, whatever the files say: what reads a difference to one
            of these is restarted.
    """
    files: dict[str, RenderedFile | None] = {}
    affected, actions = [], []
    for service in services:
        differing = _differing(paths, service, new)
        files |= differing
        stale = bool(differing) or any(reads_change(service, possible, new) for possible in unsure)
        if stale or old is None or reads_change(service, old, new):
            affected.append(service)
        actions += [action for action in service.restart if stale and action not in actions]
    return Plan(files, affected, actions)


def check(paths: Paths, planned: Plan, settings: Settings) -> None:
    """Ask the consumers' own checkers about the files that would change; raises RefusedError with all objections."""
    problems = []
    for service in planned.services:
        files = rendered(service, settings)
        if service.check and any(path in planned.files for path in files):
            problems += service.check(paths, settings, files)
    if problems:
        raise RefusedError(problems)


def write(paths: Paths, files: Files) -> None:
    """Write files and remove others.

    Raises:
        OSError: one could not be written; those before it are.
    """
    for path, file in files.items():
        if file is None:
            remove(paths.at(path))
        else:
            write_atomically(paths.at(path), file.content, file.mode)


def put(paths: Paths, files: Files, units: Units) -> None:
    """Write files and remove others, and have systemd read its units again where some are among them.

    Raises:
        OSError: as `write` does, or systemd cannot read them.
    """
    write(paths, files)
    if any(path.startswith(UNITS_DIRECTORY) for path in files):
        units.reload_definitions()


def execute(
    paths: Paths,
    planned: Plan,
    old: Settings | None,
    new: Settings,
    units: Units,
    on_progress: OnProgress = lambda _message: None,
    health: Health = Health(),
) -> Applied:
    """Do what was planned and checked.

    Raises:
        ApplyError: a file could not be written, or a unit is not well. What was there before is there again.
    """
    before = {path: read_rendered(paths.at(path)) for path in planned.files}
    try:
        put(paths, planned.files, units)
        _activate(paths, planned.services, old, new)
        _restart(planned.actions, units, on_progress, health)
    except (OSError, _IllnessError) as error:
        problems = error.problems if isinstance(error, _IllnessError) else []
        raise ApplyError(str(error), problems, _restore(paths, planned, before, old, new, units)) from error
    return Applied(sorted(planned.files), [action.unit for action in planned.actions])


class _IllnessError(Exception):
    def __init__(self, words: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(words)
        self.problems = list(problems)


def _differing(paths: Paths, service: Service, settings: Settings) -> dict[str, RenderedFile | None]:
    wanted = rendered(service, settings)
    there = {path for owned in service.owned for path in _existing(paths, owned)}
    files: dict[str, RenderedFile | None] = {**wanted, **dict.fromkeys(there - set(wanted))}
    return {path: file for path, file in files.items() if read_rendered(paths.at(path)) != file}


def _existing(paths: Paths, owned: str) -> list[str]:
    """Give the files that are at a place that a service owns: the file itself, or all below a directory."""
    if not owned.endswith("/"):
        return [owned] if paths.at(owned).exists() else []
    directory = paths.at(owned)
    found = (file for file in directory.rglob("*") if file.is_file())
    return [f"{owned}{file.relative_to(directory)}" for file in found if not file.name.startswith(".")]


def _activate(paths: Paths, services: Iterable[Service], old: Settings | None, new: Settings) -> None:
    before = type(new)() if old is None else old
    problems = [problem for service in services if service.activate for problem in service.activate(paths, before, new)]
    if problems:
        raise _IllnessError("; ".join(f"{problem.path}: {problem.message}" for problem in problems), problems)


def _restart(actions: Iterable[UnitAction], units: Units, on_progress: OnProgress, health: Health) -> None:
    for action in actions:
        on_progress(f"{action.verb} {action.unit}")
        words = units.do(action.verb, action.unit) or illness(units, action.unit, health)
        if words:
            raise _IllnessError(words)


def _restore(paths: Paths, planned: Plan, before: Files, old: Settings | None, new: Settings, units: Units) -> str:
    """Put everything back; give what could not be."""
    try:
        put(paths, before, units)
        if old is not None:
            _activate(paths, planned.services, new, old)
    except (OSError, _IllnessError) as error:
        return str(error)
    words = [units.do(action.verb, action.unit) for action in planned.actions]
    return "; ".join(filter(None, words))
