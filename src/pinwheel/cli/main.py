# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The `pinwheel` command: puts the verbs together, turns errors into messages and exit codes."""

import os
import sys

import typer

from pinwheel import __version__
from pinwheel.cli import bench, build, build_host_container, image, machines, node, run, test
from pinwheel.cli.screen import err
from pinwheel.errors import ExitCode, PinwheelError

EPILOG = (
    "Exit codes: 0 done · 1 the environment failed (network, disk, tool, machine) · 2 wrong usage or input · "
    "3 a check failed (image rule broken, node not ready, test failed) · 130 interrupted. "
    "`pinwheel docker` passes on the Docker client's own code."
)

app = typer.Typer(
    name="pinwheel",
    help="Build, boot and run Pinwheel: a minimal, verified Linux that runs Docker containers and nothing else.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verbs in (build, build_host_container, image, run, machines, node, test, bench):
    verbs.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"pinwheel {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Show the version.", callback=_show_version, is_eager=True),
) -> None:
    pass


def main() -> None:
    """Run the command line; errors of ours become a message, a hint and their exit code."""
    try:
        app(prog_name=os.path.basename(os.environ.get("PINWHEEL_PROGRAM", "pinwheel")))  # noqa: PTH119 - not a path here
    except PinwheelError as error:
        err.print("error:", style="bold red", end=" ")
        err.print(error.message, markup=False)
        if error.hint:
            err.print(f" hint: {error.hint}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(ExitCode.INTERRUPTED)
