# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`update`: look for, fetch and boot into another version, with Bottlerocket's command lines."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.group import verb
from pinwheel.api.client.http import Client
from pinwheel.api.client.session import Session, note, say, waiting
from pinwheel.api.client.text import pretty


class _Step(NamedTuple):
    """An action of the node that goes on after it has been answered."""

    action: str
    command: str
    """What the status calls it."""
    title: str
    every: float
    """Seconds between two looks at the status."""
    looks: int


_REFRESH = _Step("refresh-updates", "refresh", "Looking for updates", 0.1, 100)
_PREPARE = _Step("prepare-update", "prepare", "Fetching the update", 0.5, 1200)
_ACTIVATE = _Step("activate-update", "activate", "Activating the update", 0.1, 50)
_DEACTIVATE = _Step("deactivate-update", "deactivate", "Going back to the running system", 0.1, 50)


@click.group("update", short_help="Update the node to another version.")
def update() -> None:
    """Update the node to another version."""


@verb("check", short_help="Look whether there is an update.")
def check(session: Session) -> None:
    """Look whether there is an update, and print what is known of updates as JSON."""
    say(pretty(_do(session.client, _REFRESH)))


@verb("apply", short_help="Fetch the update, and boot into it next time.")
@click.option("-c", "--check", "look_first", is_flag=True, help="Look whether there is one before.")
@click.option("-r", "--reboot", is_flag=True, help="Restart at once.")
def apply(session: Session, look_first: bool, reboot: bool) -> None:
    """Fetch the update that was found, and boot into it next time."""
    client = session.client
    if look_first and not _do(client, _REFRESH).get("chosen_update"):
        note("There is no update.")
        return
    _do(client, _PREPARE)
    _do(client, _ACTIVATE)
    if reboot:
        client.send("POST", "/actions/reboot")
    else:
        note("The update is in place: it runs after the next reboot.")


@verb("cancel", short_help="Stay with the system that runs.")
def cancel(session: Session) -> None:
    """Take back `update apply`: the next boot is into the system that runs now."""
    _do(session.client, _DEACTIVATE)


def _do(client: Client, step: _Step) -> dict[str, Any]:
    """Start an action, wait until the status says that it is over, and give the status.

    Raises:
        ApiFailed: it failed, or took too long.
    """
    started = _most_recent(client)
    with waiting(step.title):
        client.send("POST", f"/actions/{step.action}")
        for _ in range(step.looks):
            found = _status(client)
            recent = found.get("most_recent_command") or {}
            if recent != started and recent.get("cmd_type") == step.command and recent.get("cmd_status") != "Unknown":
                return _successful(step, found, recent)
            time.sleep(step.every)
    raise ApiFailed(f"{step.title}: the node was not done after {step.looks * step.every:.0f} s", status=408)


def _successful(step: _Step, found: dict[str, Any], recent: Mapping[str, Any]) -> dict[str, Any]:
    if recent["cmd_status"] != "Success":
        words = str(recent.get("stderr") or "").strip() or f"exit code {recent.get('exit_status')}"
        raise ApiFailed(f"{step.title} failed: {words}", status=500)
    return found


def _status(client: Client) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.get("/updates/status")
    except ApiFailed as failure:
        if failure.status in (404, 423):  # nobody has looked yet; somebody is at it
            return {}
        raise
    return found


def _most_recent(client: Client) -> Any:  # noqa: ANN401 - as the node has it
    return _status(client).get("most_recent_command")


for command in (check, apply, cancel):
    update.add_command(command)

COMMANDS = {"update": update}
