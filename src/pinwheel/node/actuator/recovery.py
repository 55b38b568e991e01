# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the actuator does at its start: bring to an end what a crash, or a kill, of the one before has cut short.

A change that has become the current generation is finished: the next boot would take it as well. One that has not, a
trial above all, is undone. Its files may be in place although nothing has read them: what reads a difference between
the settings before and after it is restarted, whatever the files say.
"""

import msgspec

from pinwheel.node.actuator.effect import Effect
from pinwheel.node.actuator.refusal import Refusal
from pinwheel.node.actuator.trial import stop_timer
from pinwheel.node.apply import plan
from pinwheel.node.events import WARNING
from pinwheel.node.generations.generation import Generation
from pinwheel.node.in_effect import Applying, InEffect
from pinwheel.node.paths import TRIAL_TIMER, VIEW
from pinwheel.node.system import System
from pinwheel.node.view import write_view


def recover(system: System, effect: Effect) -> None:
    """Bring settings, files, units and the view together; what cannot be is told, and is no reason not to serve."""
    with effect.store.lock():
        effect.store.clean()
        try:
            _settle(system, effect)
        except (Refusal, OSError) as error:
            print(f"pinwheel: settings are not in effect as a whole: {error}")


def _settle(system: System, effect: Effect) -> None:
    interrupted = effect.state.applying
    if interrupted:
        _finish_or_undo(system, effect, interrupted)
    state = effect.state
    if not state.trial and system.paths.at(TRIAL_TIMER).exists():
        stop_timer(system.paths, effect.units)
    newest = (effect.get(state.trial.generation) if state.trial else None) or effect.current()
    if _generation_of_view(system) != newest.number:
        write_view(system, newest, state, effect.read(newest.settings))


def _finish_or_undo(system: System, effect: Effect, interrupted: Applying) -> None:
    current, begun = effect.current(), effect.get(interrupted.generation)
    if begun is None:  # the crash came before anything else
        effect.note_undone(current)
    elif current.number != begun.number:
        _put(system, effect, interrupted, begun, effect.running())
        effect.note_undone(current)
    else:
        _finish(system, effect, interrupted, begun)


def _finish(system: System, effect: Effect, interrupted: Applying, begun: Generation) -> None:
    running = effect.running()
    try:
        _put(system, effect, interrupted, running, begun)
    except Refusal as refusal:
        try:
            _put(system, effect, interrupted, begun, running)
        finally:
            if interrupted.is_new:
                effect.take_back(effect.get(begun.parent) or running, begun, refusal.message)
            else:
                effect.note_undone(begun)
        return
    if interrupted.keys:
        effect.note_undone(begun)
    else:
        effect.note(begun, InEffect(begun.number), effect.read(begun.settings))


def _put(system: System, effect: Effect, interrupted: Applying, before: Generation, after: Generation) -> None:
    """Go from one state to the other, from wherever between them the node is; raises Refusal when it does not work."""
    effect.tell("settings-interrupted", after, WARNING)
    old, new = effect.read(before.settings), effect.read(after.settings)
    planned = plan(system.paths, effect.affected(interrupted.keys), old, new, [old])
    effect.execute(planned, old, new, lambda _message: None)


def _generation_of_view(system: System) -> int | None:
    try:
        view = msgspec.json.decode(system.paths.at(VIEW).read_bytes())
        return int(view["generation"])
    except (FileNotFoundError, msgspec.DecodeError, KeyError):
        return None
