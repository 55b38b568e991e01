# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Change the settings: each change is a new generation, in effect as a whole or not at all.

The order is what makes it safe. Everything that can be checked is, before anything is written. Then the generation is
written to the disk: from there on a crash leaves the new state, which the next boot puts into effect. Then it takes
effect; where a unit is not well with it, the files are put back, and the old settings become the newest generation.
"""

from collections.abc import Callable
from typing import Any

from pinwheel.node.actuator.effect import Effect
from pinwheel.node.actuator.protocol import Apply, Author, Change, Commit, Rollback
from pinwheel.node.actuator.refusal import BAD_REQUEST, CONFLICT, NOT_FOUND, Refusal, plural
from pinwheel.node.actuator.report import draft, report, shown
from pinwheel.node.actuator.trial import end_of_trial, start_timer, stop_timer
from pinwheel.node.apply import Applied, Plan, RefusedError, check, plan
from pinwheel.node.events import WARNING
from pinwheel.node.generations.generation import Draft, Generation
from pinwheel.node.in_effect import InEffect, Trial
from pinwheel.node.system import System
from pinwheel.settings import changes
from pinwheel.settings.documents import DepthError, Document
from pinwheel.settings.problem import Problem
from pinwheel.settings.refusal import refusals
from pinwheel.settings.tree import Settings

OnProgress = Callable[[str], None]
Result = dict[str, Any]


class Transactions:
    """Every way to change settings at run time. Methods raise Refusal, and leave the node as it was then."""

    def __init__(self, system: System, effect: Effect) -> None:
        self._system = system
        self._effect = effect
        self._store = effect.store

    def check(self, change: Change) -> list[Result]:
        """Say what a change would change; only the model is asked."""
        before = self._effect.current().settings
        document = self._changed(before, change)
        self._validate(before, document)
        return self._shown(before, document)

    def commit(self, request: Commit, on_progress: OnProgress) -> Result:
        """Make a generation of a change."""
        with self._store.lock():
            current = self._effect.current()
            document = self._changed(current.settings, request.change)
            return self._take(current, document, request, on_progress)

    def rollback(self, request: Rollback, on_progress: OnProgress) -> Result:
        """Make a new generation of an old one."""
        with self._store.lock():
            document = self.generation(request.generation).settings
            reason = f"rollback to {request.generation}"
            commit = Commit(Change(), request.author, reason, dry_run=request.dry_run)
            return self._take(self._effect.current(), document, commit, on_progress)

    def apply(self, request: Apply, on_progress: OnProgress) -> Result:
        """Put the current generation into effect, or what of it some keys affect."""
        with self._store.lock():
            self._refuse_beside_trial()
            current = self._effect.current()
            old, new = self._effect.read(self._effect.running().settings), self._effect.read(current.settings)
            planned = plan(self._system.paths, self._effect.affected(request.keys), old, new)
            self._check(planned, new)
            with self._effect.begun(current.number, request.keys):
                applied = self._effect.execute(planned, old, new, on_progress)
                if not request.keys:  # a part in effect is not the generation in effect
                    self._effect.note(current, InEffect(current.number), new)
            return report(self._system, current.number, [], planned, applied)

    def confirm(self, author: Author) -> Result:
        """Keep what is on trial: it becomes a generation that lasts."""
        with self._store.lock():
            trial = self.generation(self._trial().generation)
            reason = f"trial {trial.number} confirmed"
            lasting = Draft(author, reason, trial.settings, user_data=trial.user_data, changes=trial.changes)
            generation = self._store.add(lasting, trial.parent)
            self._effect.note(generation, InEffect(generation.number), self._effect.read(generation.settings))
            stop_timer(self._system.paths, self._effect.units)
        self._effect.tell("settings-confirmed", generation)
        return {"generation": generation.number}

    def revert(self, on_progress: OnProgress) -> Result:
        """Take back what is on trial."""
        with self._store.lock():
            trial, current = self.generation(self._trial().generation), self._effect.current()
            old, new = self._effect.read(trial.settings), self._effect.read(current.settings)
            planned = plan(self._system.paths, self._system.services, old, new)
            with self._effect.begun(current.number):
                applied = self._effect.execute(planned, old, new, on_progress)
                self._effect.note(current, InEffect(current.number), new)
            stop_timer(self._system.paths, self._effect.units)
        self._effect.tell("settings-reverted", trial, WARNING)
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
        old, new = self._effect.read(self._effect.running().settings), self._effect.read(document)
        planned = plan(self._system.paths, self._system.services, old, new)
        self._check(planned, new)
        if request.dry_run:
            return report(self._system, current.number, changed, planned, None)
        if not request.apply:
            generation = self._store.add(draft(current, document, changed, request), current.number)
            self._effect.note(generation, self._effect.state, new)
            return report(self._system, generation.number, changed, planned, None)
        with self._effect.begun(self._store.next_number(), is_new=True):
            generation = self._store.add(draft(current, document, changed, request), current.number)
            applied = self._put_into_effect(current, generation, planned, (old, new), on_progress, request.try_seconds)
        self._effect.tell("settings-committed", generation)
        return report(self._system, generation.number, changed, planned, applied)

    def _put_into_effect(
        self,
        current: Generation,
        generation: Generation,
        planned: Plan,
        settings: tuple[Settings, Settings],
        on_progress: OnProgress,
        try_seconds: int,
    ) -> Applied:
        trial = Trial(generation.number, end_of_trial(try_seconds)) if try_seconds else None
        if trial:  # before anything changes: a change that cuts its author off must come to an end by itself
            start_timer(self._system.paths, self._effect.units, try_seconds)
        try:
            applied = self._effect.execute(planned, *settings, on_progress)
        except Refusal as refusal:
            if trial:
                stop_timer(self._system.paths, self._effect.units)
            else:
                self._effect.take_back(current, generation, refusal.message)
            raise
        self._effect.note(generation, InEffect(generation.number, trial), settings[1])
        return applied

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

    def _trial(self) -> Trial:
        trial = self._effect.state.trial
        if trial is None:
            raise Refusal(CONFLICT, "no settings are on trial")
        return trial

    def _refuse_beside_trial(self) -> None:
        trial = self._effect.state.trial
        if trial:
            hint = "confirm or revert it first"
            raise Refusal(CONFLICT, f"generation {trial.generation} is on trial until {trial.until}: {hint}")

    def _shown(self, old: Document, new: Document) -> list[Result]:
        return shown(changes.diff(self._system.model, old, new))
