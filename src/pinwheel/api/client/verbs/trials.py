# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`try`: changes that take themselves back unless they are confirmed, for whatever may cut a node off."""

import click

from pinwheel.api.client.group import verb
from pinwheel.api.client.session import Session, show_commit, waiting
from pinwheel.api.client.verbs.effect import json_option
from pinwheel.api.client.verbs.settings import apply_verb, set_verb, unset_verb

DEFAULT_SECONDS = 60


@click.group("try", short_help="Change settings on trial: they change back unless you confirm.")
def try_() -> None:
    """Change settings on trial: after a while they change back by themselves, unless you confirm."""


@verb("confirm", short_help="Keep the change on trial.")
@json_option("Print what was done as JSON.")
def confirm(session: Session, json: bool) -> None:
    """Keep the change that is on trial."""
    _end(session, "confirm", as_json=json)


@verb("revert", short_help="Take back the change on trial now.")
@json_option("Print what was done as JSON.")
def revert(session: Session, json: bool) -> None:
    """Take back the change that is on trial, without waiting for its time to end."""
    _end(session, "revert", as_json=json)


def _end(session: Session, how: str, *, as_json: bool) -> None:
    with waiting("Applying"):
        commit = session.client.send("POST", f"/settings/try/{how}")
    show_commit(commit, as_json=as_json)


for command in (set_verb(DEFAULT_SECONDS), unset_verb(DEFAULT_SECONDS), apply_verb(DEFAULT_SECONDS), confirm, revert):
    try_.add_command(command)

COMMANDS = {"try": try_}
