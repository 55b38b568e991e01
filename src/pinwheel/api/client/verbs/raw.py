# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`raw`: any request, as it is."""

import sys

import click

from pinwheel.api.client.group import verb
from pinwheel.api.client.http import Answer
from pinwheel.api.client.session import Session
from pinwheel.api.client.text import clean


@verb("raw", short_help="Send any request.")
@click.option("-u", "--uri", required=True, metavar="URI", help="Path and query, /settings?keys=settings.motd.")
@click.option("-m", "-X", "--method", default="GET", show_default=True, help="HTTP's method.")
@click.option("-d", "--data", metavar="TEXT", help="The body: JSON.")
def raw(session: Session, uri: str, method: str, data: str | None) -> None:
    """Send any request, and print what is answered as it is."""
    write_body(session.client.ask(method.upper(), uri, body=None if data is None else data.encode()))


def write_body(answer: Answer) -> None:
    """Write an answer's body: its bytes for a program, for a terminal without what a terminal takes for commands."""
    if sys.stdout.isatty():
        for line in answer.body.decode(errors="replace").splitlines():
            print(clean(line))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.body)
    if answer.body and not answer.body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


COMMANDS = {"raw": raw}
