# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A systemd for tests on a machine whose PID 1 is another: it notes what it is told, and units can be made to fail."""

from pinwheel.node.paths import Paths
from pinwheel.node.units import UnitState


class RecordingUnits:
    """Does nothing but remember."""

    def __init__(self, _paths: Paths | None = None) -> None:
        self.done: list[tuple[str, str]] = []
        self.ill: dict[str, int] = {}
        """How many more times a unit fails after it was restarted."""
        self.failed: set[str] = set()

    def do(self, verb: str, unit: str) -> str:
        self.done.append((verb, unit))
        self.failed.discard(unit)
        if verb != "stop" and self.ill.get(unit, 0) > 0:
            self.ill[unit] -= 1
            self.failed.add(unit)
        return ""

    def enqueue(self, unit: str, verb: str = "start") -> str:
        self.done.append((f"{verb} --no-block", unit))
        return ""

    def reload_definitions(self) -> None:
        self.done.append(("daemon-reload", ""))

    def state(self, unit: str) -> UnitState:
        failed = unit in self.failed
        return UnitState("failed" if failed else "active", "", "exit-code" if failed else "success")

    def last_words(self, unit: str) -> str:
        return f"{unit} said why"
