# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`report`: compliance reports, with Bottlerocket's command lines."""

import click

from pinwheel.api.client.group import verb
from pinwheel.api.client.session import Session, say
from pinwheel.api.client.text import pretty
from pinwheel.api.client.verbs.effect import Verb
from pinwheel.api.client.verbs.raw import write_body


@click.group("report", invoke_without_command=True, short_help="Check the node against a standard.")
@click.pass_context
def report(context: click.Context) -> None:
    """Check the node against a standard. Without a verb: the reports that there are."""
    if context.invoked_subcommand is None:
        say(pretty(context.ensure_object(Session).client.get("/report")))


def _format_option(function: Verb) -> Verb:
    choice = click.Choice(["text", "json"])
    return click.option("-f", "--format", "form", type=choice, default="text", show_default=True)(function)


_level_option = click.option(
    "-l", "--level", type=click.IntRange(1, 2), default=1, show_default=True, help="How strict."
)


@verb("cis", short_help="The CIS benchmark for the system.")
@_level_option
@_format_option
def cis(session: Session, level: int, form: str) -> None:
    """Check the node against the CIS benchmark for the system."""
    _print(session, "/report/cis", level=level, format=form)


@verb("cis-k8s", short_help="The CIS benchmark for Kubernetes nodes.")
@_level_option
@_format_option
def cis_kubernetes(session: Session, level: int, form: str) -> None:
    """Check the node against the CIS benchmark for Kubernetes."""
    _print(session, "/report/cis", type="kubernetes", level=level, format=form)


@verb("fips", short_help="FIPS 140-3.")
@_format_option
def fips(session: Session, form: str) -> None:
    """Check whether cryptography runs as FIPS 140-3 asks for."""
    _print(session, "/report/fips", format=form)


def _print(session: Session, path: str, **query: object) -> None:
    write_body(session.client.ask("GET", path, query))


for command in (cis, cis_kubernetes, fips):
    report.add_command(command)

COMMANDS = {"report": report}
