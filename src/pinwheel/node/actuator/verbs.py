# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What each verb does. This is everything that the API process can make a node do."""

from typing import Any

from pinwheel.node.actuator import protocol
from pinwheel.node.actuator.effect import Effect
from pinwheel.node.actuator.refusal import BAD_REQUEST, NOT_FOUND, Refusal
from pinwheel.node.actuator.report import shown
from pinwheel.node.actuator.server import Conversation
from pinwheel.node.actuator.transactions import Transactions
from pinwheel.node.events import send
from pinwheel.node.generations.generation import summary
from pinwheel.node.system import System
from pinwheel.settings import changes
from pinwheel.settings.documents import hide_secrets

MAX_LISTED = 1000


class Verbs:
    """Carries out requests."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._transactions = Transactions(system, Effect(system))

    def __call__(self, request: protocol.Request, conversation: Conversation) -> Any:  # noqa: ANN401
        """Do what is asked, and give the result; raises Refusal."""
        match request:
            case protocol.Check(change):
                return {"changes": self._transactions.check(change)}
            case protocol.Commit():
                return self._transactions.commit(request, conversation.progress)
            case protocol.Apply():
                return self._transactions.apply(request, conversation.progress)
            case protocol.Rollback():
                return self._transactions.rollback(request, conversation.progress)
            case protocol.Confirm(author):
                return self._transactions.confirm(author)
            case protocol.Revert():
                return self._transactions.revert(conversation.progress)
            case _:
                return self._look_or_act(request, conversation)

    def _look_or_act(self, request: protocol.Request, conversation: Conversation) -> Any:  # noqa: ANN401
        match request:
            case protocol.ListGenerations(limit):
                return self._generations(limit)
            case protocol.ShowGeneration(number):
                return self._generation(number)
            case protocol.DiffGenerations(old, new):
                return self._diff(old, new)
            case protocol.Status():
                return self._status()
            case protocol.ListContainers():
                return self._containers()
            case protocol.Reboot(author):
                return self._switch("reboot.target", author)
            case protocol.PowerOff(author):
                return self._switch("poweroff.target", author)
            case protocol.Exec():
                return self._exec(request, conversation)
            case protocol.SupportBundle():
                return self._support_bundle(conversation)
        raise AssertionError(f"a verb without a deed: {request}")

    def _generations(self, limit: int) -> dict[str, Any]:
        store = self._system.store
        found = list(store.newest_first())[: max(0, min(limit, MAX_LISTED))]
        current = store.current()
        damaged = {str(number): words for number, words in store.damaged.items()}
        return {
            "current": current.number if current else 0,
            "generations": [summary(generation) for generation in found],
            "damaged": damaged,
        }

    def _generation(self, number: int) -> dict[str, Any]:
        generation = self._transactions.generation(number)
        return summary(generation) | {"settings": hide_secrets(self._system.model, generation.settings)}

    def _diff(self, old: int, new: int) -> list[dict[str, Any]]:
        before, after = (self._transactions.generation(number).settings for number in (old, new))
        return shown(changes.diff(self._system.model, before, after))

    def _status(self) -> dict[str, Any]:
        from pinwheel.node.readiness import full_check
        from pinwheel.node.status import document

        return document(self._system.paths, full_check(self._system.paths))

    def _containers(self) -> list[dict[str, Any]]:
        from pinwheel.node.container_list import containers

        return containers(self._system.paths)

    def _switch(self, target: str, author: protocol.Author) -> None:
        """Have systemd go to a target from which there is no way back."""
        send(self._system.paths, target.partition(".")[0], f"{target} asked for", by=author.name or author.kind)
        words = self._system.units(self._system.paths).enqueue(target)
        if words:
            raise OSError(words)

    def _exec(self, request: protocol.Exec, conversation: Conversation) -> int:
        """Run a command in a host container for as long as the other side stays; give its exit status."""
        from pinwheel.node.containers.exec import ExecError, NotRunningError, Terminal, start

        terminal = Terminal(request.rows, request.columns) if request.tty else None
        try:
            session = start(self._system.paths, request.container, request.command, terminal)
        except NotRunningError as error:
            raise Refusal(NOT_FOUND, str(error)) from error
        except ExecError as error:
            raise Refusal(BAD_REQUEST, str(error)) from error
        who = request.author.name or request.author.kind
        message = f"a command runs in the host container {request.container}"
        send(self._system.paths, "exec", message, container=request.container, by=who)
        with session:
            conversation.started(session.descriptors)
            session.close_descriptors()
            if not conversation.stays_until(session.fileno()):
                session.kill()
            return session.wait()

    def _support_bundle(self, conversation: Conversation) -> None:
        from pinwheel.node.actuator.support_bundle import stream

        stream(self._system, conversation)
