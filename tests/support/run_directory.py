# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Machines of one run of tests or of a bench: in a store of their own, all gone when the run ends, however it ends.

A run holds a lock on its directory. Whatever directory is there without a holder was left by a run that was killed: the
next run switches off its machines, which are known by their UUIDs and by nothing broader, and removes it.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from pinwheel.errors import PinwheelError
from pinwheel.machine.machine import Machine
from pinwheel.machine.store import MachineStore

_PREFIX = "run-"


class RunDirectory:
    """A directory below `base` for one run, in which `pinwheel` finds its state when `XDG_STATE_HOME` points there."""

    def __init__(self, base: Path) -> None:
        """Make it, and clear away what dead runs left."""
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_left_over(base)
        self.path = Path(tempfile.mkdtemp(dir=base, prefix=_PREFIX))
        self._lock = (self.path / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.store = _store(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Switch off the run's machines and remove everything."""
        _remove(self.path)
        self._lock.close()


def _store(directory: Path) -> MachineStore:
    return MachineStore(directory / "pinwheel/machines")


def _remove_left_over(base: Path) -> None:
    for directory in base.glob(f"{_PREFIX}*"):
        with (directory / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # a run that is alive
                continue
            _remove(directory)


def _remove(directory: Path) -> None:
    store = _store(directory)
    for machine in _readable(store):
        machine.remove()
    shutil.rmtree(directory, ignore_errors=True)


def _readable(store: MachineStore) -> Iterable[Machine]:
    for name in store.names():
        try:
            yield Machine(name, store)
        except PinwheelError:  # a record from another version: its machine is not known
            continue
