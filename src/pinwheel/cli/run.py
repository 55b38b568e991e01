# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel run`: a machine that runs, from whatever there is."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from pinwheel.cli.machine_view import complete_names, machine_document, next_steps
from pinwheel.cli.screen import ScreenProgress, err, out, print_json
from pinwheel.machine.record import DEFAULT_CPUS, DEFAULT_NAME, parse_forward, parse_size


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(run)


def run(
    name: Annotated[str, typer.Option(help="The machine's name.", autocompletion=complete_names)] = DEFAULT_NAME,
    variant: Annotated[str | None, typer.Option(help="The image's variant.", show_default="docker")] = None,
    image: Annotated[
        Path | None,
        typer.Option(help="Boot this disk image (raw or qcow2).", show_default="built when it is not there yet"),
    ] = None,
    user_data: Annotated[Path | None, typer.Option(help="The node's settings, a TOML file.")] = None,
    memory: Annotated[str | None, typer.Option(help="Memory, such as 512M or 4G.", show_default="2G")] = None,
    cpus: Annotated[int | None, typer.Option(help="Processors.", show_default=str(DEFAULT_CPUS))] = None,
    publish: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[IP:]HOST:GUEST[/udp]", help="Lead a port of this machine into the node. May be repeated."
        ),
    ] = None,
    disk_size: Annotated[str | None, typer.Option(help="Size of a new machine's disk.", show_default="8G")] = None,
    data_disk: Annotated[str | None, typer.Option(help="Give a new machine a second, empty disk of this size.")] = None,
    no_tpm: Annotated[
        bool, typer.Option("--no-tpm", help="Give a new machine no TPM: its data is not encrypted.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait until the node is ready.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the machine as JSON.")] = False,
) -> None:
    """Boot a node in a virtual machine, and build what is missing for it.

    Starts a stopped machine again, its disk as it was left; --memory, --cpus, --publish and --user-data may change.
    """
    from pinwheel.machine.launch import RunRequest, launch

    request = RunRequest(
        name=name,
        variant=variant,
        image=image,
        user_data=user_data,
        memory=_size(memory),
        cpus=cpus,
        publish=tuple(map(parse_forward, publish)) if publish else None,
        disk_size=_size(disk_size),
        data_disk_size=_size(data_disk),
        tpm=False if no_tpm else None,
        wait=not detach,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    launched = launch(request, ScreenProgress())
    if json:
        print_json(machine_document(launched.machine))
        return
    if not launched.started:
        err.print(f"The machine {name} is running already.")
    out.print(next_steps(launched.machine, launched.status), markup=False)


def _size(text: str | None) -> int | None:
    return None if text is None else parse_size(text)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # As Ctrl-C: what was begun is undone on the way out.
    raise KeyboardInterrupt
