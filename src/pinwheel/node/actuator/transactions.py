# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Change the settings: each change is a new generation, in effect as a whole or not at all.

The order is what makes it safe. Everything that can be checked is, before anything is written. Then the generation is
written to the disk: from there on a crash leaves the new state, which the next boot puts into effect. Then it takes
effect; where a unit is not well with it, the files are put back, and the old settings become the newest generation.
"""

from collections.abc import Callable
from typing import Any

from pinwheel.node.actuator.protocol import Apply, Author, Change, Commit, Rollback
from pinwheel.node.actuator.refusal import BAD_REQUEST, CONFLICT, FAILED, NOT_FOUND, Refusal, plural
from pinwheel.node.actuator.report import draft, is_read_by, report, shown
from pinwheel.node.actuator.trial import end_of_trial, start_timer, stop_timer
from pinwheel.node.apply import Applied, ApplyError, Plan, RefusedError, check, execute, plan
from pinwheel.node.events import WARNING, send
from pinwheel.node.generations.generation import Draft, Generation
from pinwheel.node.in_effect import InEffect, Trial, read_in_effect, write_in_effect
from pinwheel.node.services.service import Service
from pinwheel.node.system import System
from pinwheel.node.view import write_view
from pinwheel.settings import changes
from pinwheel.settings.documents import DepthError, Document
from pinwheel.settings.problem import Problem
from pinwheel.settings.reading import read
from pinwheel.settings.refusal import refusals
from pinwheel.settings.tree import Settings

OnProgress = Callable[[str], None]
Result = dict[str, Any]

_SYSTEM = Author(kind="system")
_NOTHING = Generation(schema=1, number=0, parent=0, created="", author=_SYSTEM, reason="defaults", settings={})


class Transactions:
    """Every way to change settings at run time. Methods raise Refusal, and leave the node as it was then."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._store = system.store
        self._units = system.units(system.paths)

    def check(self, change: Change) -> list[Result]:
        """Say what a change would change; only the model is asked."""
        before = self._current().settings
        document = self._changed(before, change)
        self._validate(before, document)
        return self._shown(before, document)

    def commit(self, request: Commit, on_progress: OnProgress) -> Result:
        """Make a generation of a change."""
        with self._store.lock():
            current = self._current()
            document = self._changed(current.settings, request.change)
            return self._take(current, document, request, on_progress)

    def rollback(self, request: Rollback, on_progress: OnProgress) -> Result:
        """Make a new generation of an old one."""
        with self._store.lock():
            document = self.generation(request.generation).settings
            reason = f"rollback to {request.generation}"
            commit = Commit(Change(), request.author, reason, dry_run=request.dry_run)
            return self._take(self._current(), document, commit, on_progress)

    def apply(self, request: Apply, on_progress: OnProgress) -> Result:
        """Put the current generation into effect, or what of it some keys affect."""
        with self._store.lock():
            self._refuse_beside_trial()
            current = self._current()
            old, new = self._read(self._in_effect().settings), self._read(current.settings)
            planned = plan(self._system.paths, self._affected(request.keys), old, new)
            self._check(planned, new)
            applied = self._execute(planned, old, new, on_progress)
            if not request.keys:  # a part in effect is not the generation in effect
                self._note(current, InEffect(current.number), new)
            return report(self._system, current.number, [], planned, applied)

    def confirm(self, author: Author) -> Result:
        """Keep what is on trial: it becomes a generation that lasts."""
        with self._store.lock():
            trial = self.generation(self._trial().generation)
            reason = f"trial {trial.number} confirmed"
            lasting = Draft(author, reason, trial.settings, user_data=trial.user_data, changes=trial.changes)
            generation = self._store.add(lasting, trial.parent)
            stop_timer(self._system.paths, self._units)
            self._note(generation, InEffect(generation.number), self._read(generation.settings))
        self._tell("settings-confirmed", generation)
        return {"generation": generation.number}

    def revert(self, on_progress: OnProgress) -> Result:
        """Take back what is on trial."""
        with self._store.lock():
            trial, current = self.generation(self._trial().generation), self._current()
            old, new = self._read(trial.settings), self._read(current.settings)
            planned = plan(self._system.paths, self._system.services, old, new)
            stop_timer(self._system.paths, self._units)
            applied = self._execute(planned, old, new, on_progress)
            self._note(current, InEffect(current.number), new)
        self._tell("settings-reverted", trial, WARNING)
        return report(self._system, current.number, self._shown(trial.settings, current.settings), planned, applied)

    def generation(self, number: int) -> Generation:
        """Give a generation."""
        try:
            return self._store.get(number)
        except KeyError:
            raise Refusal(NOT_FOUND, f"there is no generation {number}; GET /settings/generations lists them") from None
        except ValueError as error:
            raise Refusal(CONFLICT, f"generation {number} is damaged: {error}") from error

    def _take(self, current: Generation, document: Document, request: Commit, on_progress: OnProgress) -> Result:
        self._refuse_beside_trial()
        self._validate(current.settings, document)
        changed = self._shown(current.settings, document)
        if not changed:
            return report(self._system, current.number, [], None, None)
        old, new = self._read(self._in_effect().settings), self._read(document)
        planned = plan(self._system.paths, self._system.services, old, new)
        self._check(planned, new)
        if request.dry_run:
            return report(self._system, current.number, changed, planned, None)
        generation = self._store.add(draft(current, document, changed, request), current.number)
        if not request.apply:
            self._note(generation, read_in_effect(self._system.paths), new)
            return report(self._system, generation.number, changed, planned, None)
        applied = self._put_into_effect(current, generation, planned, old, new, on_progress, request.try_seconds)
        self._tell("settings-committed", generation)
        return report(self._system, generation.number, changed, planned, applied)

    def _put_into_effect(
        self,
        current: Generation,
        generation: Generation,
        planned: Plan,
        old: Settings,
        new: Settings,
        on_progress: OnProgress,
        try_seconds: int,
    ) -> Applied:
        trial = Trial(generation.number, end_of_trial(try_seconds)) if try_seconds else None
        if trial:  # before anything changes: a change that cuts its author off must come to an end by itself
            start_timer(self._system.paths, self._units, try_seconds)
        try:
            applied = self._execute(planned, old, new, on_progress)
        except Refusal as refusal:
            if trial:
                stop_timer(self._system.paths, self._units)
            else:
                self._take_back(current, generation, refusal)
            raise
        self._note(generation, InEffect(generation.number, trial), new)
        return applied

    def _take_back(self, current: Generation, failed: Generation, refusal: Refusal) -> None:
        """Make the settings that worked the newest generation: the next boot must not take those that failed."""
        reason = f"generation {failed.number} did not work"
        back = Draft(_SYSTEM, reason, current.settings, user_data=current.user_data, changes=failed.changes)
        generation = self._store.add(back, failed.number)
        self._note(generation, InEffect(generation.number), self._read(current.settings))
        self._tell("settings-taken-back", generation, WARNING, why=refusal.message)

    def _changed(self, before: Document, change: Change) -> Document:
        document = before
        for text in change.unset:
            try:
                document = changes.unset(document, changes.parse_path(text))
            except KeyError:
                problem = Problem("not-set", text, 0, "nothing is set there", "GET /settings/diff shows what is set")
                raise Refusal(NOT_FOUND, f"{text} is not set", [problem]) from None
            except ValueError as error:
                raise Refusal(BAD_REQUEST, str(error)) from error
        try:
            merged = changes.replace if change.replace else changes.merge
            return merged(self._system.model, document, change.patch)
        except DepthError as error:
            raise Refusal(BAD_REQUEST, str(error)) from error

    def _validate(self, before: Document, after: Document) -> None:
        problems = refusals(self._system.model, before, after)
        if problems:
            raise Refusal(BAD_REQUEST, f"{plural(len(problems), 'problem')} in the settings; nothing changed", problems)

    def _check(self, planned: Plan, settings: Settings) -> None:
        try:
            check(self._system.paths, planned, settings)
        except RefusedError as error:
            raise Refusal(BAD_REQUEST, f"refused, nothing changed: {error}", error.problems) from error

    def _execute(self, planned: Plan, old: Settings, new: Settings, on_progress: OnProgress) -> Applied:
        try:
            return execute(self._system.paths, planned, old, new, self._units, on_progress, self._system.health)
        except ApplyError as error:
            if error.left:
                raise Refusal(
                    FAILED, f"{error}; and this could not be put back: {error.left}", error.problems
                ) from error
            raise Refusal(CONFLICT, f"taken back, because {error}", error.problems) from error

    def _current(self) -> Generation:
        return self._store.current() or _NOTHING

    def _in_effect(self) -> Generation:
        """Give the generation that the node runs on."""
        number = read_in_effect(self._system.paths).generation
        try:
            return self._store.get(number) if number else _NOTHING
        except (KeyError, ValueError):
            return self._current()

    def _trial(self) -> Trial:
        trial = read_in_effect(self._system.paths).trial
        if trial is None:
            raise Refusal(CONFLICT, "no settings are on trial")
        return trial

    def _refuse_beside_trial(self) -> None:
        trial = read_in_effect(self._system.paths).trial
        if trial:
            hint = "confirm or revert it first"
            raise Refusal(CONFLICT, f"generation {trial.generation} is on trial until {trial.until}: {hint}")

    def _read(self, document: Document) -> Settings:
        return read(self._system.model, document)[0]

    def _shown(self, old: Document, new: Document) -> list[Result]:
        return shown(changes.diff(self._system.model, old, new))

    def _affected(self, keys: list[str]) -> list[Service]:
        """Give the services that some settings affect; all without any."""
        try:
            paths = [changes.parse_path(key) for key in keys]
        except ValueError as error:
            raise Refusal(BAD_REQUEST, str(error)) from error
        return [service for service in self._system.services if not paths or is_read_by(service, paths)]

    def _note(self, generation: Generation, state: InEffect, settings: Settings) -> None:
        write_in_effect(self._system.paths, state)
        write_view(self._system, generation, state, settings)

    def _tell(self, event: str, generation: Generation, priority: int = 6, **fields: str) -> None:
        message = f"settings: generation {generation.number}, {generation.reason}"
        send(self._system.paths, event, message, priority=priority, generation=generation.number, **fields)
