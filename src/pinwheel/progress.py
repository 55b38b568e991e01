# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How long work reports on itself. Packages that do the work see only the protocols; the command line draws them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One piece of work under way."""

    def total(self, amount: float) -> None:
        """Say how much there is to do, in the unit that `advance` counts, once it is known."""

    def advance(self, amount: float = 1) -> None:
        """Say that so much more is done."""

    def note(self, text: str) -> None:
        """Say what the step is busy with now; a new note takes the old one's place."""


class Progress(Protocol):
    """Where long work reports its steps."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """Enter a step; leaving it normally means that it is done, by an exception that it failed."""

    def warn(self, message: str) -> None:
        """Tell the user something that did not stop the work, and should be known."""


class SilentStep:
    """A step that nobody watches."""

    def total(self, amount: float) -> None:
        """See `Step.total`."""

    def advance(self, amount: float = 1) -> None:
        """See `Step.advance`."""

    def note(self, text: str) -> None:
        """See `Step.note`."""


class SilentProgress:
    """Report to nobody: for callers that are themselves programs."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002
        """See `Progress.step`."""
        yield SilentStep()

    def warn(self, message: str) -> None:
        """Keep the warning for the caller."""
        self.warnings.append(message)
