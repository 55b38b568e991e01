# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The directory of machines: which there are, who may change one, and how one appears and vanishes as a whole.

A machine is a directory with its final name and a `machine.json` in it. It is made under another name and renamed when
it is whole, and renamed away before it is removed: what was left half-way by a crash is never taken for a machine.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.machine.record import MachineRecord, check_name
from pinwheel.paths import state_directory

RECORD = "machine.json"


class MachineStore:
    """All machines of this user, or those below another directory."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or state_directory() / "machines"

    def names(self) -> list[str]:
        """Give the names of all machines, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(
            entry.name for entry in self.root.iterdir() if entry.name[0] != "." and (entry / RECORD).is_file()
        )

    def directory(self, name: str) -> Path:
        """Give where the machine is, or would be."""
        return self.root / check_name(name)

    def exists(self, name: str) -> bool:
        """Tell whether there is such a machine."""
        return (self.directory(name) / RECORD).is_file()

    def read(self, name: str) -> MachineRecord:
        """Give a machine's record.

        Raises:
            UsageFault: there is no such machine; the hint names those that there are.
            EnvironmentFault: its record cannot be read.
        """
        path = self.directory(name) / RECORD
        try:
            return MachineRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise UsageFault(f"there is no machine {name!r}", self._existing()) from None
        except ValidationError as error:
            message = f"{path} is damaged, or from another version of Pinwheel: {error}"
            raise EnvironmentFault(
                message, f"look at the file, or remove the machine: pinwheel rm --force {name}"
            ) from None

    def write(self, record: MachineRecord) -> None:
        """Write the record of a machine that exists, in one step."""
        write_record(self.directory(record.name), record)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Be the only one who starts, changes or removes this machine.

        Raises:
            UsageFault: another command is at it.
        """
        locks = self.root / ".locks"
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (locks / check_name(name)).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageFault(
                    f"another pinwheel command is starting or removing the machine {name!r}", "wait until it is done"
                ) from None
            yield

    @contextmanager
    def creating(self, name: str) -> Iterator[Path]:
        """Give an empty directory that becomes the machine's when the block ends well, and vanishes when it does not.

        The caller holds the machine's lock, so what lies there under the same name is left from a crash.
        """
        fresh = self.root / f".new-{check_name(name)}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        try:
            yield fresh
            fresh.rename(self.directory(name))
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def remove(self, name: str) -> None:
        """Remove the machine's directory. The caller holds the lock, and the machine is not running."""
        gone = self.root / f".removed-{check_name(name)}"
        shutil.rmtree(gone, ignore_errors=True)
        self.directory(name).rename(gone)
        shutil.rmtree(gone)

    def _existing(self) -> str:
        names = self.names()
        return "there are: " + ", ".join(names) if names else "make one: pinwheel run"


def write_record(directory: Path, record: MachineRecord) -> None:
    """Write `machine.json` in one step: whoever reads sees the old one or the new one."""
    fresh = directory / f".{RECORD}.new"
    with fresh.open("w") as file:
        file.write(record.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(directory / RECORD)
