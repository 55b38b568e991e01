# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`ephemeral-storage` and `network`, with Bottlerocket's command lines."""

import base64

import click

from pinwheel.api.client.documents import read_source
from pinwheel.api.client.failure import wrong_usage
from pinwheel.api.client.group import verb
from pinwheel.api.client.session import Session
from pinwheel.api.client.verbs.effect import Verb
from pinwheel.api.client.verbs.raw import write_body
from pinwheel.api.endpoint import TOML

_STORAGE = "/actions/ephemeral-storage"


@click.group("ephemeral-storage", short_help="Use the disks that a cloud machine has only while it runs.")
def ephemeral_storage() -> None:
    """Use the disks that a cloud machine has only while it runs."""


@verb("init", short_help="Format the disks, as one.")
@click.option("-t", "--filesystem", type=click.Choice(["xfs", "ext4"]), help="Which file system.")
@click.option("--disks", multiple=True, metavar="DISK", help="Only this disk. May be repeated.")
@click.argument("more_disks", nargs=-1, metavar="")
def init(session: Session, filesystem: str | None, disks: tuple[str, ...], more_disks: tuple[str, ...]) -> None:
    """Format the disks, several as one."""
    named = [*disks, *more_disks]
    content = {**({"filesystem": filesystem} if filesystem else {}), **({"disks": named} if named else {})}
    session.client.send("POST", f"{_STORAGE}/init", content)


@verb("bind", short_help="Put directories onto the disks.")
@click.option("--dirs", multiple=True, required=True, metavar="DIRECTORY", help="May be repeated.")
@click.argument("more", nargs=-1, metavar="")
def bind(session: Session, dirs: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Put directories onto the disks: `bind --dirs /var/lib/docker /var/log/example`."""
    session.client.send("POST", f"{_STORAGE}/bind", {"targets": [*dirs, *more]})


def _format_option(function: Verb) -> Verb:
    choice = click.Choice(["text", "json"])
    return click.option("-f", "--format", "form", type=choice, default="text", show_default=True)(function)


@verb("list-disks", short_help="List the disks.")
@_format_option
def list_disks(session: Session, form: str) -> None:
    """List the disks."""
    write_body(session.client.ask("GET", f"{_STORAGE}/list-disks", {"format": form}))


@verb("list-dirs", short_help="List the directories that can be on the disks.")
@_format_option
def list_directories(session: Session, form: str) -> None:
    """List the directories that can be on the disks."""
    write_body(session.client.ask("GET", f"{_STORAGE}/list-dirs", {"format": form}))


@click.group("network", short_help="Configure the network with a net.toml.")
def network() -> None:
    """Configure the network with a net.toml."""


@verb("configure", short_help="Take a net.toml for the next boot.")
@click.argument("uri")
def configure(session: Session, uri: str) -> None:
    """Take a net.toml for the next boot, from file:PATH, or from base64:TEXT that is the document itself."""
    session.client.ask("POST", "/network/configure", body=_content(uri), media=TOML)


def _content(uri: str) -> bytes:
    if not uri.startswith("base64:"):
        return read_source(uri).content
    try:
        return base64.b64decode(uri.removeprefix("base64:"), validate=True)
    except ValueError as error:
        raise wrong_usage("what follows base64: is not base64") from error


for command in (init, bind, list_disks, list_directories):
    ephemeral_storage.add_command(command)
network.add_command(configure)

COMMANDS = {"ephemeral-storage": ephemeral_storage, "network": network}
