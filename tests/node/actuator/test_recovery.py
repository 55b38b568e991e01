# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A crash at every single step of a change, and the start after it.

The change runs in a copy of this process (fork) that dies right before its n-th step: a file's way to the disk, a
rename, a removal, a unit's job. n grows until the change gets through.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.node_services import READS, RUNNING, ReadingUnits

from pinwheel.node import paths as places
from pinwheel.node.actuator import recovery
from pinwheel.node.actuator.effect import Effect
from pinwheel.node.actuator.protocol import Apply, Author, Change, Commit
from pinwheel.node.actuator.refusal import Refusal
from pinwheel.node.actuator.transactions import Transactions
from pinwheel.node.in_effect import read_in_effect
from pinwheel.node.paths import Paths
from pinwheel.node.services.table import SERVICES
from pinwheel.node.system import System
from pinwheel.node.units import Health
from pinwheel.settings.tree import Settings

AUTHOR = Author(kind="local", uid=1000, pid=77)
UNIT = "systemd-timesyncd.service"
OLD: dict[str, Any] = {"motd": "old", "ntp": {"time-servers": ["old.example.com"]}}
NEW: dict[str, Any] = {"motd": "new", "ntp": {"time-servers": ["new.example.com"]}}
CRASHED = 9


class Node:
    """A node that is changed by processes that may die."""

    def __init__(self, paths: Paths, units: Callable[[Paths], Any] = ReadingUnits) -> None:
        self.paths = paths
        self.system = System(paths, Settings, SERVICES, units, Health(steady=0.0, pause=0.001))

    @property
    def transactions(self) -> Transactions:
        return Transactions(self.system, Effect(self.system))

    def commit(self, patch: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self.transactions.commit(Commit(Change(patch), AUTHOR, **options), quiet)

    def start(self) -> None:
        recovery.recover(self.system, Effect(self.system))

    def dies_at(self, step: int, change: Callable[[], object]) -> bool:
        """Do a change and die before a step of it; say whether it came to that."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                die_before(step)
                change()
                status = 0
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in {0, CRASHED}
        return status == CRASHED

    def assert_has(self, settings: dict[str, Any], trial: bool = False) -> None:
        """Files, units, view and notes agree."""
        view, state = json.loads(self.paths.at(places.VIEW).read_bytes()), read_in_effect(self.paths)
        current = self.system.store.current()
        assert current
        assert view["set"] == settings
        assert view["generation"] == (state.trial.generation if state.trial else current.number)
        assert (bool(view["trial"]), bool(state.trial), state.applying) == (trial, trial, None)
        assert self.paths.at(places.TRIAL_TIMER).exists() == trial
        if not trial:
            assert current.settings == settings
        assert self.paths.text(places.MOTD) == settings["motd"]
        running = self.paths.text(RUNNING + UNIT)
        assert running == self.paths.text(READS[UNIT])
        assert settings["ntp"]["time-servers"][0] in running


def quiet(_message: str) -> None:
    pass


def die_before(step: int) -> None:
    """Have this process die before one of its steps."""
    left = step

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(CRASHED)
            return function(*arguments, **keywords)

        return call

    os.fsync = counted(os.fsync)
    for owner, name in ((Path, "replace"), (Path, "unlink"), (ReadingUnits, "do")):
        setattr(owner, name, counted(getattr(owner, name)))


def crashes(node: Node, change: Callable[[], object]) -> Iterator[int]:
    """Let a change die at one step after the other; the node has started again each time this yields."""
    step = 0
    while node.dies_at(step, change):
        node.start()
        yield step
        step += 1
    assert step > 5


@pytest.fixture
def node(root: Paths) -> Node:
    node = Node(root)
    node.transactions.apply(Apply(), quiet)
    node.commit(OLD)
    return node


def test_a_commit_is_there_whole_or_not_at_all(node: Node) -> None:
    seen = set()
    for _ in crashes(node, lambda: node.commit(NEW)):
        current = node.system.store.current()
        assert current
        seen.add(current.settings["motd"])
        node.assert_has(NEW if current.settings == NEW else OLD)
        node.commit(OLD)
        node.assert_has(OLD)
    assert seen == {"old", "new"}


def test_a_trial_is_on_whole_or_undone(node: Node) -> None:
    for _ in crashes(node, lambda: node.commit(NEW, try_seconds=60)):
        tried = read_in_effect(node.paths).trial is not None
        node.assert_has(NEW if tried else OLD, trial=tried)
        if tried:
            node.transactions.revert(quiet)
        node.assert_has(OLD)


def test_a_revert_is_finished(node: Node) -> None:
    node.commit(NEW, try_seconds=60)
    for _ in crashes(node, lambda: node.transactions.revert(quiet)):
        if read_in_effect(node.paths).trial:
            node.assert_has(NEW, trial=True)
        else:
            node.assert_has(OLD)
            node.commit(NEW, try_seconds=60)


def test_a_confirmed_trial_is_kept_or_still_on_trial(node: Node) -> None:
    node.commit(NEW, try_seconds=60)
    for _ in crashes(node, lambda: node.transactions.confirm(AUTHOR)):
        if read_in_effect(node.paths).trial:
            node.assert_has(NEW, trial=True)
        else:
            node.assert_has(NEW)
            node.commit(OLD)
            node.commit(NEW, try_seconds=60)


def test_an_apply_is_finished(node: Node) -> None:
    node.commit(NEW, apply=False)
    for _ in crashes(node, lambda: node.transactions.apply(Apply(), quiet)):
        if read_in_effect(node.paths).generation == node.system.store.numbers()[-1]:
            node.assert_has(NEW)
            node.commit(OLD)
            node.commit(NEW, apply=False)


def test_what_was_committed_for_later_is_not_applied_by_a_start(node: Node) -> None:
    node.commit(NEW, apply=False)
    node.start()
    assert node.paths.text(places.MOTD) == "old"


def test_a_view_that_a_crash_has_left_behind_is_written_anew(node: Node) -> None:
    for _ in crashes(node, lambda: node.commit(NEW, apply=False)):
        current = node.system.store.current()
        assert current
        assert json.loads(node.paths.at(places.VIEW).read_bytes())["set"] == current.settings
        assert node.paths.text(places.MOTD) == "old"
        if current.settings == NEW:
            node.commit(OLD, apply=False)


def test_a_commit_that_was_cut_short_and_does_not_work_falls(node: Node) -> None:
    assert node.dies_at(13, lambda: node.commit(NEW))
    assert read_in_effect(node.paths).applying
    made = node.system.store.current()
    assert made
    assert made.settings == NEW
    ill = ReadingUnits(node.paths)
    ill.ill[UNIT] = 1
    failing = Node(node.paths, lambda _paths: ill)
    failing.start()
    current = node.system.store.current()
    assert current
    assert (current.settings, current.reason) == (OLD, f"generation {made.number} did not work")
    node.assert_has(OLD)
    with pytest.raises(Refusal, match="not set"):
        node.transactions.commit(Commit(Change(unset=["settings.dns"]), AUTHOR), quiet)


def test_leftovers_of_killed_writers_are_removed(node: Node) -> None:
    leftover = node.paths.at(places.GENERATIONS) / ".0000000009.json.77.new"
    leftover.write_bytes(b"{")
    node.start()
    assert not leftover.exists()
