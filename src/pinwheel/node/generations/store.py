# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The generations on the data partition.

One directory, one file per generation, named by its number. A file appears whole or not at all (written beside, to the
disk, then renamed), so a crash at any instant leaves the old state or the new one. The highest number that is no trial
is the current generation: there is no pointer that could disagree with the files.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pinwheel.node.files import TEMPORARY, write_atomically
from pinwheel.node.generations.generation import SCHEMA, Draft, Generation, decoded, encoded

KEPT = 100
"""How many generations stay. One is a few kilobytes."""
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600
_DIGITS = 10
_SUFFIX = ".json"


class Store:
    """Reads and adds generations. Whoever adds holds `lock`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._damaged: dict[int, str] = {}

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other process from adding; waits for its turn."""
        import fcntl

        self._make_directory()
        descriptor = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def numbers(self) -> list[int]:
        """Give the numbers that there are, in order; those that cannot be read among them."""
        try:
            names = os.listdir(self._directory)  # noqa: PTH208 - names are all that is wanted
        except FileNotFoundError:
            return []
        stems = [name[: -len(_SUFFIX)] for name in names if name.endswith(_SUFFIX)]
        return sorted([int(stem) for stem in stems if stem.isdecimal() and stem.isascii()])

    def get(self, number: int) -> Generation:
        """Give a generation.

        Raises:
            KeyError: there is none of this number.
            ValueError: its file is damaged.
        """
        try:
            return decoded(self._file(number).read_bytes())
        except FileNotFoundError:
            raise KeyError(number) from None

    def newest_first(self) -> Iterator[Generation]:
        """Give the generations that can be read; `damaged` then names the others."""
        for number in reversed(self.numbers()):
            try:
                yield self.get(number)
            except KeyError:
                continue  # pruned in this moment
            except (ValueError, OSError) as error:
                self._damaged[number] = str(error)

    def current(self) -> Generation | None:
        """Give the generation that counts: the newest that is no trial."""
        return next((generation for generation in self.newest_first() if not generation.trial), None)

    @property
    def damaged(self) -> dict[int, str]:
        """What could not be read so far: numbers, and why."""
        return dict(self._damaged)

    def next_number(self) -> int:
        """Give the number that the next generation will have."""
        return _after(self.numbers())

    def clean(self) -> None:
        """Remove what processes that were killed while they wrote have left."""
        for entry in os.scandir(self._directory):
            if entry.name.startswith(".") and entry.name.endswith(TEMPORARY):
                os.unlink(entry.path)  # noqa: PTH108 - as scandir gives it

    def add(self, draft: Draft, parent: int) -> Generation:
        """Write a new generation to the disk, for good when this returns.

        Raises:
            OSError: it could not be written; nothing has changed.
        """
        self._make_directory()
        numbers = self.numbers()
        generation = Generation(
            schema=SCHEMA,
            number=_after(numbers),
            parent=parent,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            author=draft.author,
            reason=draft.reason,
            settings=draft.settings,
            trial=draft.trial,
            user_data=draft.user_data,
            changes=draft.changes,
        )
        write_atomically(self._file(generation.number), encoded(generation), _FILE_MODE)
        self._sync_directory()
        self._prune(numbers, parent)
        return generation

    def _prune(self, numbers: list[int], parent: int) -> None:
        for number in numbers[: -(KEPT - 1)]:
            if number != parent:  # trials that nobody confirmed must not push out what they would fall back to
                self._file(number).unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        return self._directory / f"{number:0{_DIGITS}}{_SUFFIX}"

    def _make_directory(self) -> None:
        self._directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)

    def _sync_directory(self) -> None:
        """Make the rename last: fsync(2) of a file says nothing of the directory's entry."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _after(numbers: list[int]) -> int:
    return numbers[-1] + 1 if numbers else 1
