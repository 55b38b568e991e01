# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel node NAME dashboard`."""

import sys

import click

from pinwheel.api.client.failure import wrong_usage
from pinwheel.api.client.group import verb
from pinwheel.api.client.session import Session


@verb("dashboard", short_help="Show the node on one screen.")
@click.option(
    "--every", type=click.FloatRange(0.2, 3600), default=2.0, show_default=True, metavar="SECONDS",
    help="How often to look.",
)  # fmt: skip
def dashboard(session: Session, every: float) -> None:
    """Show the node on one screen: readiness, load, containers, units, generations, and the log as it grows.

    A node that goes away is waited for. q leaves.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise wrong_usage("the dashboard needs a terminal", "for programs there are `status --json` and `metrics`")
    from pinwheel.cli.dashboard.app import Dashboard
    from pinwheel.cli.dashboard.source import Watch

    Dashboard(session.program.rpartition(" ")[2], Watch(session.transport, every)).run()
