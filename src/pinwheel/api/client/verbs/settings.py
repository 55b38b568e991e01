# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs for settings: get, set, unset, apply, diff, schema."""

import json
from collections.abc import Sequence
from typing import Any

import click

from pinwheel.api.client.documents import Source, merged, read_source, read_sources
from pinwheel.api.client.failure import wrong_usage
from pinwheel.api.client.group import verb
from pinwheel.api.client.http import Client
from pinwheel.api.client.session import Session, say, show, waiting
from pinwheel.api.client.text import change_lines, pretty
from pinwheel.api.client.verbs.effect import Effect, change, effect_options, json_option
from pinwheel.api.client.verbs.raw import write_body

_ROOTS = ("settings", "services", "configuration-files", "os")
"""What `GET /` has at its top."""


@verb("get", short_help="Show settings, and what else the node says of itself.")
@click.option("--set", "only_set", is_flag=True, help="Only what is set, without defaults.")
@click.argument("prefixes", nargs=-1, metavar="[PREFIX... | /URI]")
def get(session: Session, prefixes: tuple[str, ...], only_set: bool) -> None:
    """Show settings as JSON: all, or those below PREFIX, such as `network` or `settings.docker`.

    Other things at the top are `os`, `services` and `configuration-files`. With /URI: what that path answers.
    """
    if prefixes and prefixes[0].startswith("/"):
        if len(prefixes) > 1:
            raise wrong_usage("one URI at a time")
        _get_uri(session.client, prefixes[0])
        return
    if only_set:
        documents = [
            {"settings": session.client.get("/settings", set=True, prefix=prefix)}
            for prefix in map(full_path, prefixes or ("",))
        ]
    else:
        documents = [session.client.get("/", prefix=prefix) for prefix in map(full_path, prefixes or ("",))]
    say(pretty(merged(documents)))


def full_path(prefix: str) -> str:
    """Give a prefix as the API wants it: `settings.` may be left out by who types it."""
    if not prefix or prefix.split(".")[0] in _ROOTS:
        return prefix
    return f"settings.{prefix}"


def _get_uri(client: Client, uri: str) -> None:
    answer = client.ask("GET", uri)
    if answer.headers.get_content_type() == "application/json":
        say(pretty(answer.json()))
    else:
        write_body(answer)


def set_verb(trial: int | None = None) -> click.Command:
    """Make the verb `set`."""

    @verb("set", short_help="Change settings.")
    @click.option("-j", "--json", "document", metavar="JSON", help='Settings as JSON: {"motd": "hi"}.')
    @click.argument("assignments", nargs=-1, metavar="[KEY=VALUE...]")
    @effect_options(trial, with_json=False)  # Bottlerocket's `set --json` takes settings
    def set_(session: Session, assignments: tuple[str, ...], document: str | None, effect: Effect) -> None:
        """Change settings, and put them into effect: `set motd=hello kernel.sysctl."vm.swappiness"=10`.

        Answers when every unit that reads them is up again; if one is not, the old settings are back. `settings.` in
        front of a key may be left out. Lists are given as JSON: `set -j '{"dns": {"name-servers": ["192.0.2.1"]}}'`.
        """
        if bool(assignments) == (document is not None):
            raise click.UsageError("give KEY=VALUE, or --json, and not both")
        if document is not None:
            change(session, "PATCH", "/settings", _read_json(document), effect, commit=True)
            return
        for one in assignments:
            if "=" not in one:
                raise wrong_usage(f"{one!r} is not KEY=VALUE")
        change(session, "PATCH", "/settings/keypair", list(assignments), effect, commit=True)

    return set_


def _read_json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise wrong_usage(f"this is no JSON: {error}") from error
    inner = document.get("settings", document) if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        raise wrong_usage("settings are an object of JSON", """for instance '{"motd": "hi"}'""")
    return inner


def unset_verb(trial: int | None = None) -> click.Command:
    """Make the verb `unset`."""

    @verb("unset", short_help="Give settings their defaults again.")
    @click.argument("keys", nargs=-1, required=True, metavar="KEY...")
    @effect_options(trial)
    def unset(session: Session, keys: tuple[str, ...], effect: Effect) -> None:
        """Give settings, or all in a table of settings, their defaults again, and put that into effect."""
        change(session, "DELETE", "/settings", None, effect, commit=True, keys=[full_path(key) for key in keys])

    return unset


def apply_verb(trial: int | None = None) -> click.Command:
    """Make the verb `apply`."""

    @verb("apply", short_help="Take settings from files, URLs or standard input.")
    @click.option("--replace", is_flag=True, help="Unset what the documents do not name.")
    @click.argument("sources", nargs=-1, metavar="[URI | PATH | -]...")
    @effect_options(trial)
    def apply(session: Session, sources: tuple[str, ...], replace: bool, effect: Effect) -> None:
        """Take settings from documents in TOML or JSON, as user data is written, and put them into effect.

        A document is a path, a file:, http: or https: URI, or - for standard input (as without any). Several are
        merged, later ones over earlier ones, and take effect together.
        """
        documents = read_sources(list(sources))
        with waiting("Checking" if effect.dry_run else "Applying"):
            commit = _send_documents(session.client, documents, effect, replace=replace)
        effect.show(commit)

    return apply


def _send_documents(client: Client, documents: Sequence[Source], effect: Effect, *, replace: bool) -> Any:  # noqa: ANN401
    query = {**effect.query, "replace": replace}
    if len(documents) == 1:  # as it is, so that mistakes have their lines
        source = documents[0]
        return client.ask("POST", "/settings/apply", query, source.content, source.media).json()
    content = merged([source.parse() for source in documents])
    return client.send("POST", "/settings/apply", content, **query)


@verb("diff", short_help="Show what differs between settings.")
@click.option("--tx", metavar="NAME", help="What this transaction would change.")
@click.argument("what", nargs=-1, metavar="[GENERATION [GENERATION] | URI | PATH | -]")
@json_option()
def diff(session: Session, what: tuple[str, ...], tx: str | None, json: bool) -> None:
    """Show what differs: between two generations; between one and now; between now and a document or a transaction."""
    changes = _differences(session.client, what, tx)
    show(changes, change_lines(changes) or ["no difference"], as_json=json)


def _differences(client: Client, what: tuple[str, ...], tx: str | None) -> list[dict[str, Any]]:
    if tx is not None and what:
        raise click.UsageError("give --tx, or generations, or a document")
    found: list[dict[str, Any]]
    if what and all(one.isdecimal() for one in what):
        if len(what) > 2:
            raise click.UsageError("two generations at most")
        until = what[1] if len(what) == 2 else client.get("/settings/generations", limit=1)["current"]
        found = client.get("/settings/diff", **{"from": what[0], "to": until})
    elif len(what) == 1:
        source = read_source(what[0])
        query = {"dry_run": True}
        found = client.ask("POST", "/settings/apply", query, source.content, source.media).json()["changes"]
    elif what:
        raise click.UsageError("give one or two generations, or one document")
    else:
        found = client.get("/settings/diff", tx=tx or "default")
    return found


@verb("schema", short_help="Print the settings' JSON schema.")
def schema(session: Session) -> None:
    """Print all settings that this node knows, as JSON Schema, for editors and programs."""
    say(pretty(session.client.get("/settings/schema")))


COMMANDS = {
    "get": get,
    "set": set_verb(),
    "unset": unset_verb(),
    "apply": apply_verb(),
    "diff": diff,
    "schema": schema,
}
