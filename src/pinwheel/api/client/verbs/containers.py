# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs for containers: list them, and run a command in a host container."""

import sys

import click

from pinwheel.api.client.group import verb
from pinwheel.api.client.session import Session, show
from pinwheel.api.client.text import table
from pinwheel.api.client.verbs.effect import json_option


@verb(
    "exec",
    short_help="Run a command in a host container.",
    context_settings={"allow_interspersed_args": False},
)
@click.option("-t/-T", "--tty/--no-tty", "terminal", default=None, help="With a terminal, or without. [by itself]")
@click.argument("target", metavar="CONTAINER")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def exec_(session: Session, terminal: bool | None, target: str, command: tuple[str, ...]) -> int:
    """Run a command in a running host container, and exit with its code.

    It gets a terminal when this side has one.
    """
    from pinwheel.api.client.exec import run_command

    sys.stdout.flush()
    return run_command(session.transport, target, command, terminal=terminal)


@verb("containers", short_help="List the containers.")
@json_option()
def containers(session: Session, json: bool) -> None:
    """List host containers and the engine's containers."""
    found = session.client.get("/containers")
    rows = ((one["name"], one["image"], one["status"] or one["state"], one["runtime"]) for one in found)
    show(found, table(("NAME", "IMAGE", "STATUS", "RUNTIME"), rows), as_json=json)


COMMANDS = {"containers": containers, "exec": exec_}
