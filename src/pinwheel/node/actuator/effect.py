# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is in effect on this node, and how that changes: noted before anything is touched, and when it is done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from pinwheel.node.actuator.protocol import Author
from pinwheel.node.actuator.refusal import BAD_REQUEST, CONFLICT, FAILED, Refusal
from pinwheel.node.actuator.report import is_read_by
from pinwheel.node.apply import Applied, ApplyError, Plan, execute
from pinwheel.node.events import WARNING, send
from pinwheel.node.generations.generation import Draft, Generation
from pinwheel.node.in_effect import Applying, InEffect, read_in_effect, write_in_effect
from pinwheel.node.services.service import Service
from pinwheel.node.system import System
from pinwheel.node.view import write_view
from pinwheel.settings import changes
from pinwheel.settings.documents import Document
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

OnProgress = Callable[[str], None]

SYSTEM = Author(kind="system")
NOTHING = Generation(schema=1, number=0, parent=0, created="", author=SYSTEM, reason="defaults", settings={})


class Effect:
    """The generations of a node, and which of them it runs on. Whoever changes anything holds the store's lock."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.store = system.store
        self.units = system.units(system.paths)
        self._known: tuple[Document, Settings] | None = None

    @property
    def state(self) -> InEffect:
        """What is noted as being in effect."""
        return read_in_effect(self._system.paths)

    def current(self) -> Generation:
        """Give the generation that counts."""
        return self.store.current() or NOTHING

    def running(self) -> Generation:
        """Give the generation that the node runs on."""
        return self.get(self.state.generation) or self.current()

    def get(self, number: int) -> Generation | None:
        """Give a generation; None when it is gone, or damaged."""
        try:
            return self.store.get(number) if number else NOTHING
        except (KeyError, ValueError):
            return None

    def read(self, document: Document) -> Settings:
        """Give a document's settings; those that were read last are kept, as the next change begins with them."""
        if self._known is None or self._known[0] != document:
            self._known = document, read(self._system.model, document)[0]
        return self._known[1]

    def affected(self, keys: Sequence[str]) -> list[Service]:
        """Give the services that some settings affect; all without any. Raises Refusal for what is no path."""
        try:
            paths = [changes.parse_path(key) for key in keys]
        except ValueError as error:
            raise Refusal(BAD_REQUEST, str(error)) from error
        return [service for service in self._system.services if not paths or is_read_by(service, paths)]

    @contextmanager
    def begun(self, generation: int, keys: Sequence[str] = (), *, is_new: bool = False) -> Iterator[None]:
        """Note what is about to be put into effect, for the next start to find when this process does not come back."""
        paths = self._system.paths
        write_in_effect(paths, replace(self.state, applying=Applying(generation, list(keys), is_new)))
        try:
            yield
        except (Refusal, OSError):  # it was taken back, or never came about
            write_in_effect(paths, replace(self.state, applying=None))
            raise
        if self.state.applying:
            write_in_effect(paths, replace(self.state, applying=None))

    def execute(self, planned: Plan, old: Settings, new: Settings, on_progress: OnProgress) -> Applied:
        """Do what was planned; raises Refusal when it does not work: what was there before is there again."""
        system = self._system
        try:
            return execute(system.paths, planned, old, new, self.units, on_progress, system.health)
        except ApplyError as error:
            if error.left:
                raise Refusal(
                    FAILED, f"{error}; and this could not be put back: {error.left}", error.problems
                ) from error
            raise Refusal(CONFLICT, f"taken back, because {error}", error.problems) from error

    def take_back(self, before: Generation, failed: Generation, why: str) -> None:
        """Make the settings that worked the newest generation: the next boot must not take those that failed."""
        reason = f"generation {failed.number} did not work"
        back = Draft(SYSTEM, reason, before.settings, user_data=before.user_data, changes=failed.changes)
        generation = self.store.add(back, failed.number)
        self.note_undone(generation)
        self.tell("settings-taken-back", generation, WARNING, why=why)

    def note_undone(self, current: Generation) -> None:
        """Note that everything is as it was, with `current` as the generation that counts."""
        running = self.running()
        same = running.settings == current.settings  # and not committed for a later apply
        state = InEffect(current.number if same else running.number)
        self.note(current, state, self.read(current.settings))

    def note(self, generation: Generation, state: InEffect, settings: Settings) -> None:
        """Note what is in effect now, at the end: until then, a start finds that something is not finished."""
        write_view(self._system, generation, state, settings)
        write_in_effect(self._system.paths, state)

    def tell(self, event: str, generation: Generation, priority: int = 6, **fields: str) -> None:
        """Tell the journal what became of a generation."""
        message = f"settings: generation {generation.number}, {generation.reason}"
        send(self._system.paths, event, message, priority=priority, generation=generation.number, **fields)
