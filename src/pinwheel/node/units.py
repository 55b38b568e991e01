# SPDX-License-Identifier: Apache-2.0 OR MIT
"""systemd's units: tell systemd to do something with one, and see whether it is well afterwards.

There is no D-Bus on a node; systemctl talks to systemd's private socket.
"""

import time
from typing import NamedTuple, Protocol

from pinwheel.node.paths import JOURNALCTL, SYSTEMCTL, Paths
from pinwheel.node.programs import run

JOB_SECONDS = 180.0
"""How long one job may take: starting the engine costs most, under emulation a minute at worst."""
ASK_SECONDS = 20.0
_LOG_LINES = 5


class UnitState(NamedTuple):
    """What systemd says of a unit: systemctl(1), `show`."""

    active: str
    sub: str
    result: str

    @property
    def failed(self) -> bool:
        """Whether it went wrong, even if systemd is about to try again."""
        return self.active == "failed" or self.sub in {"auto-restart", "auto-restart-queued"}

    @property
    def settled(self) -> bool:
        """Whether it is on its way nowhere."""
        return self.active in {"active", "inactive", "failed"}


class Units(Protocol):
    """What applying settings needs of systemd."""

    def do(self, verb: str, unit: str) -> str:
        """Do `systemctl VERB UNIT` and wait for the job; give the words of what went wrong, empty when nothing did."""

    def enqueue(self, unit: str, verb: str = "start") -> str:
        """Have systemd do something with a unit, without waiting for it; give the words of what went wrong."""

    def reload_definitions(self) -> None:
        """Have systemd read the unit files again; raises OSError when it does not."""

    def state(self, unit: str) -> UnitState:
        """Give the state of a unit."""

    def last_words(self, unit: str) -> str:
        """Give the newest lines of a unit's log, for an error."""


class Systemd:
    """The units of this machine."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def do(self, verb: str, unit: str) -> str:
        """See `Units.do`."""
        return self._words(verb, unit)

    def enqueue(self, unit: str, verb: str = "start") -> str:
        """See `Units.enqueue`."""
        return self._words(verb, "--no-block", unit)

    def _words(self, *arguments: str) -> str:
        try:
            outcome = run(self._paths.at(SYSTEMCTL), *arguments, seconds=JOB_SECONDS)
        except OSError as error:
            return str(error)
        return "" if outcome.status == 0 else " ".join(outcome.errors.split()) or f"systemctl {arguments[0]} failed"

    def reload_definitions(self) -> None:
        """See `Units.reload_definitions`."""
        outcome = run(self._paths.at(SYSTEMCTL), "daemon-reload", seconds=JOB_SECONDS)
        if outcome.status:
            raise OSError(f"systemd cannot read its units again: {outcome.errors.strip()}")

    def state(self, unit: str) -> UnitState:
        """See `Units.state`."""
        outcome = run(
            self._paths.at(SYSTEMCTL), "show", "--property=ActiveState,SubState,Result", unit, seconds=ASK_SECONDS
        )
        values = dict(line.split("=", 1) for line in outcome.output.splitlines() if "=" in line)
        return UnitState(values.get("ActiveState", ""), values.get("SubState", ""), values.get("Result", ""))

    def last_words(self, unit: str) -> str:
        """See `Units.last_words`."""
        options = ("--unit", unit, "--lines", str(_LOG_LINES), "--output=cat", "--no-pager", "--quiet", "--boot")
        try:
            return run(self._paths.at(JOURNALCTL), *options, seconds=ASK_SECONDS).output.strip()
        except OSError:
            return ""


class Health(NamedTuple):
    """How long a unit is watched after it was restarted, in seconds."""

    steady: float = 1.0
    """It must have been well for so long: a program that dies at once has started well, too."""
    give_up_after: float = 90.0
    pause: float = 0.1


def illness(units: Units, unit: str, limits: Health = Health()) -> str:
    """Wait until a unit is well, or say why it is not."""
    started = well_since = time.monotonic()
    while True:
        now, state = time.monotonic(), units.state(unit)
        if state.failed:
            return f"{unit} failed ({state.result or state.sub}): {units.last_words(unit)}"
        if not state.settled:
            well_since = now
        if now - well_since >= limits.steady:
            return ""
        if now - started > limits.give_up_after:
            return f"{unit} is still {state.active or 'unknown'} after {limits.give_up_after:g} s"
        time.sleep(limits.pause)
