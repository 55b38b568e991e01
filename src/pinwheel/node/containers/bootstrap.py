# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Before the engine starts: bootstrap commands in the order of their names, then all bootstrap containers at once.

`launch bootstrap`, Type=notify, started only when there is something to do. The engine requires its unit: what is
essential and fails keeps the engine from starting, and the status says why. What was to run once is switched off after
a good run.
"""

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from pinwheel.node.actuator.client import SOCKET, ActuatorFailed, call_and_wait
from pinwheel.node.actuator.protocol import Author, Change, Commit
from pinwheel.node.console import print_lines
from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container, Kind, configured
from pinwheel.node.events import WARNING, send
from pinwheel.node.files import write_atomically
from pinwheel.node.notify import notify
from pinwheel.node.paths import JOURNALCTL, SYSTEMCTL, Paths
from pinwheel.node.programs import run
from pinwheel.node.serialize import json_file
from pinwheel.node.units import Systemd

COMMAND_SECONDS = 600.0
"""How long one command may take: it may change settings that restart what is slow."""
CONTAINERS_SECONDS = 24 * 3600.0
"""How long all containers together may take: formatting and checking large disks has taken hours."""
SYSTEMCTL_SECONDS = 60.0
CLIENT = "/usr/bin/apiclient"
SOCKETS = ("pinwheel-api.socket", "pinwheel-actuator.socket")
"""What commands ask, and what switches off: nothing of the boot waits for them but this."""


class Outcome(NamedTuple):
    """What became of one entry of the settings."""

    setting: str
    """`bootstrap-commands` or `bootstrap-containers`."""
    name: str
    essential: bool
    once: bool
    words: str
    """What went wrong; empty when nothing did."""

    def __str__(self) -> str:
        what = self.setting.replace("-", " ").removesuffix("s")
        return f"{what} {self.name} {'failed: ' + self.words if self.words else 'went well'}"


def main() -> int:
    """Do all of it."""
    return bootstrap(Paths())


def bootstrap(paths: Paths) -> int:
    """Run everything, and let the engine start unless something essential failed; give the exit code."""
    run(paths.at(SYSTEMCTL), "start", *SOCKETS, seconds=SYSTEMCTL_SECONDS)
    outcomes = [*run_commands(paths), *run_containers(paths)]  # a command may have changed which containers there are
    stops = [str(outcome) for outcome in outcomes if outcome.words and outcome.essential]
    write_atomically(
        paths.at(places.BOOTSTRAP_RESULT), json_file({"outcomes": [one._asdict() for one in outcomes], "stops": stops})
    )
    _tell(paths, outcomes)
    if not stops:
        notify("READY=1")
    switch_off(paths, outcomes)
    return 1 if stops else 0


def run_commands(paths: Paths) -> list[Outcome]:
    """Run the commands of all entries; an entry ends with its first command that fails."""
    outcomes = []
    for name, entry in _commands(paths).items():
        words = next(filter(None, (_run_command(paths, command) for command in entry["commands"])), "")
        outcomes.append(Outcome("bootstrap-commands", name, entry["essential"], entry["once"], words))
    return outcomes


def run_containers(paths: Paths) -> list[Outcome]:
    """Run all containers at the same time, to the end."""
    containers = configured(paths, Kind.BOOTSTRAP)
    if not containers:
        return []
    units = Systemd(paths)
    with suppress(TimeoutError):
        run(paths.at(SYSTEMCTL), "start", *(one.unit for one in containers), seconds=CONTAINERS_SECONDS)
    outcomes = [_looked_at(paths, units, container) for container in containers]
    # A failure that is not essential is no reason against the node: it was told, and is forgotten.
    pardoned = [
        one.unit for one, outcome in zip(containers, outcomes, strict=True) if outcome.words and not one.essential
    ]
    if pardoned:
        run(paths.at(SYSTEMCTL), "reset-failed", *pardoned, seconds=SYSTEMCTL_SECONDS)
    return outcomes


def switch_off(paths: Paths, outcomes: Iterable[Outcome]) -> None:
    """Set the mode of what was to run once, and went well, to `off`; what cannot be set will run again."""
    patch: dict[str, Any] = {}
    for outcome in outcomes:
        if outcome.once and not outcome.words:
            patch.setdefault(outcome.setting, {})[outcome.name] = {"mode": "off"}
    if not patch:
        return
    request = Commit(Change(patch=patch), Author(kind="system", name="bootstrap"), reason="bootstrap: once, and done")
    try:
        call_and_wait(paths.at(SOCKET), request)
    except ActuatorFailed as error:
        print_lines(paths, [f"pinwheel: what is to be done once at boot will be done again: {error}"])


def _commands(paths: Paths) -> dict[str, Any]:
    try:
        return dict(json.loads(paths.at(places.BOOTSTRAP_COMMANDS).read_bytes()))
    except FileNotFoundError:
        return {}


def _run_command(paths: Paths, command: list[str]) -> str:
    """Run a call of the client; give what went wrong."""
    shown = " ".join(command)
    try:
        outcome = run(paths.at(CLIENT), *command[1:], seconds=COMMAND_SECONDS)
    except (OSError, ValueError) as error:
        return f"{shown}: {error}"
    sys.stdout.write(outcome.output)
    if outcome.status == 0:
        return ""
    said = " ".join((outcome.errors or outcome.output).split())[-300:]
    return f"{shown}: exit status {outcome.status}: {said}"


def _looked_at(paths: Paths, units: Systemd, container: Container) -> Outcome:
    state = units.state(container.unit)
    good = state.active == "active" and state.result == "success"
    words = "" if good else f"{state.result or state.active}: {_last_line(paths, container)}"
    return Outcome("bootstrap-containers", container.name, container.essential, container.once, words)


def _last_line(paths: Paths, container: Container) -> str:
    """Give the last thing that a container said, or the preparation for it; not what systemd says of its unit."""
    identifier = f"{container.unit.partition('@')[0]}-{container.name}"
    options = ("--boot", f"--identifier={identifier}", "--lines=1", "--output=cat", "--no-pager", "--quiet")
    said = run(paths.at(JOURNALCTL), *options, seconds=SYSTEMCTL_SECONDS).output.strip()
    return " ".join(said.split())[-300:] or "no output"


def _tell(paths: Paths, outcomes: Iterable[Outcome]) -> None:
    bad = [outcome for outcome in outcomes if outcome.words]
    print_lines(paths, (f"pinwheel: {outcome}" for outcome in bad))
    for outcome in bad:
        send(paths, "bootstrap-failed", str(outcome), priority=WARNING, name=outcome.name)
