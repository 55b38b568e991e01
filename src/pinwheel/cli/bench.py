# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel bench`: measurements against what a user would take in Pinwheel's place."""

import os
import sys
from pathlib import Path

import typer

from pinwheel.paths import PROJECT

benches = typer.Typer(name="bench", help="Measure Pinwheel against the alternatives.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(benches)


@benches.callback()
def _benches() -> None:
    pass


@benches.command()
def boot(
    runs: int = typer.Option(3, "--runs", min=1, help="Boots of each system."),
    json: Path | None = typer.Option(None, "--json", metavar="FILE", help="Write everything measured to this file."),
) -> None:
    """Boot Pinwheel and stock Debian with Docker by turns: time to the first container, memory, sizes, open ports."""
    _become("bench.boot", ["--runs", str(runs)], json)


@benches.command()
def api(
    requests: int = typer.Option(2000, "--requests", min=10, help="GETs; a fifth of it for each kind of change."),
    runs: int = typer.Option(30, "--runs", min=1, help="Starts from idle, of each kind."),
    json: Path | None = typer.Option(None, "--json", metavar="FILE", help="Write everything measured to this file."),
) -> None:
    """Measure the settings API beside what the machine can do at best: answers, commits, starts from idle, memory."""
    _become("bench.api", ["--requests", str(requests), "--runs", str(runs)], json)


def _become(module: str, arguments: list[str], json: Path | None) -> None:
    """Run a bench, which is the checkout's, not the package's: it comes from the project's root."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "src")])}
    command = [sys.executable, "-m", module, *arguments, *(["--json", str(json)] if json else [])]
    # It takes this process's place, so that a signal that is to end it reaches the one that has machines to remove.
    os.execve(command[0], command, environment)  # noqa: S606
