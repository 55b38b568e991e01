# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs for the history of settings: generations, rollback."""

from typing import Any

import click

from pinwheel.api.client.group import verb
from pinwheel.api.client.http import Client
from pinwheel.api.client.session import Session, show, show_commit, waiting
from pinwheel.api.client.text import change_lines, clean, pairs, pretty, table
from pinwheel.api.client.verbs.effect import json_option

_SHOWN = 3
"""Settings named in a row of the history."""


@click.group("generations", invoke_without_command=True, short_help="Show the history of the settings.")
@click.pass_context
def generations(context: click.Context) -> None:
    """Show the history of the settings: each commit made a generation. Without a verb: list them."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@verb("list", short_help="List generations, the newest first.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@json_option()
def list_(session: Session, limit: int, json: bool) -> None:
    """List generations, the newest first."""
    found = session.client.get("/settings/generations", limit=limit)
    lines = table(("NUMBER", "CREATED", "BY", "WHY", "CHANGED"), map(_row, found["generations"]))
    damaged = [f"generation {number} cannot be read: {why}" for number, why in (found.get("damaged") or {}).items()]
    show(found, [*lines, *map(clean, damaged)], as_json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    reason = f"{one['reason']} (trial)" if one.get("trial") else one["reason"]
    changed = [path.removeprefix("settings.") for path in one.get("changes") or ()]
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return one["number"], one["created"], author_text(one["author"]), reason, ", ".join(changed[:_SHOWN]) + more


def author_text(author: dict[str, Any]) -> str:
    """Say who made a generation."""
    kind, name = str(author.get("kind", "")), str(author.get("name") or "")
    if kind == "local":
        return f"uid {author.get('uid')}"
    return f"{kind} {name}" if name else kind


@verb("show", short_help="Show a generation: who, when, why, and what was set.")
@click.argument("number", type=click.IntRange(1))
@json_option()
def show_one(session: Session, number: int, json: bool) -> None:
    """Show a generation: who made it, when and why, and all that was set in it."""
    one = session.client.get(f"/settings/generations/{number}")
    fingerprint = one["author"].get("fingerprint")
    lines = pairs(
        [
            ("generation", f"{one['number']}{' (on trial)' if one.get('trial') else ''}"),
            ("after", one["parent"] or "none"),
            ("created", one["created"]),
            ("by", author_text(one["author"])),
            ("certificate", fingerprint),
            ("why", one["reason"]),
        ]
    )
    show(one, [*lines, pretty({"settings": one["settings"]})], as_json=json)


@verb("diff", short_help="Show what a generation changed.")
@click.argument("number", type=click.IntRange(1))
@click.argument("against", type=click.IntRange(1), required=False)
@json_option()
def diff(session: Session, number: int, against: int | None, json: bool) -> None:
    """Show what a generation changed, compared with the one before it, or with another one."""
    changes = session.client.get(f"/settings/generations/{number}/diff", against=against)
    show(changes, change_lines(changes) or ["no difference"], as_json=json)


@verb("rollback", short_help="Go back to an earlier generation.")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--dry-run", is_flag=True, help="Check everything, say what would happen, change nothing.")
@json_option("Print what was done as JSON.")
def rollback(session: Session, number: int | None, dry_run: bool, json: bool) -> None:
    """Go back to the settings of generation NUMBER, by default to those before the last change.

    This makes a new generation: nothing of the history is lost.
    """
    client = session.client
    target = number or _before_the_last(client)
    with waiting("Checking" if dry_run else "Applying"):
        commit = client.send("POST", f"/settings/generations/{target}/rollback", dry_run=dry_run)
    show_commit(commit, as_json=json, dry_run=dry_run)


def _before_the_last(client: Client) -> int:
    current = client.get("/settings/generations", limit=1)["current"]
    parent = int(client.get(f"/settings/generations/{current}")["parent"]) if current else 0
    if not parent:
        raise click.UsageError("there is no generation before this one")
    return parent


for command in (list_, show_one, diff):
    generations.add_command(command)

COMMANDS = {"generations": generations, "rollback": rollback}
