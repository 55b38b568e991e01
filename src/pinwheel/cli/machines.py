# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs for machines that are there: ps, status, console, logs, stop, rm, docker."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from pinwheel.cli.machine_view import complete_names, list_row, machine_document, program, status_lines
from pinwheel.cli.screen import ScreenProgress, err, out, print_json, print_table
from pinwheel.errors import UsageFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.docker_client import client_command, client_environment, export_lines
from pinwheel.machine.follow import Follower
from pinwheel.machine.machine import Machine
from pinwheel.machine.qemu import CONSOLE_LOG
from pinwheel.machine.record import DEFAULT_NAME
from pinwheel.machine.store import MachineStore

FOLLOW_EVERY = 0.2
"""Seconds between two looks at a log that is followed."""

Name = Annotated[str, typer.Argument(help="The machine's name.", autocompletion=complete_names)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (ps, status, console, logs, stop, rm, docker):
        app.command()(verb)


def ps(json: Json = False) -> None:
    """List the machines."""
    store = MachineStore()
    machines = [Machine(name, store) for name in store.names()]
    if json:
        print_json([machine_document(machine) for machine in machines])
    elif machines:
        print_table(("NAME", "STATE", "IMAGE", "MEMORY", "CPUS", "UPTIME", "PORTS"), map(list_row, machines))
    else:
        err.print(f"There is no machine yet. Make one: {program()} run", markup=False)


def status(name: Name = DEFAULT_NAME, json: Json = False) -> None:
    """Show a machine, and what its node says about itself."""
    machine = Machine(name)
    if json:
        print_json(machine_document(machine))
        return
    lines = status_lines(machine)
    width = max(len(key) for key, _ in lines)
    for key, value in lines:
        out.print(f"{key:{width}}  {value}", markup=False)


def console(name: Name = DEFAULT_NAME) -> None:
    """Attach this terminal to a machine's console. Ctrl-] leaves it."""
    from pinwheel.machine.console import attach, terminal_keyboard

    machine = _running(name)
    keyboard = terminal_keyboard()
    if keyboard is not None:
        err.print(f"The console of {name}. Ctrl-] leaves it.")
    attach(machine.directory, keyboard=keyboard, screen=sys.stdout.fileno())
    if keyboard is not None:
        err.print(f"\nThe console of {name} is left." if machine.is_running() else f"\nThe machine {name} has stopped.")


def logs(
    name: Name = DEFAULT_NAME,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the machine stops.")] = False,
) -> None:
    """Print what a machine's console printed since its last start."""
    machine = Machine(name)
    log = Follower(machine.directory / CONSOLE_LOG)
    _copy_out(log.read_new())
    while follow and machine.is_running():
        time.sleep(FOLLOW_EVERY)
        _copy_out(log.read_new())
    _copy_out(log.read_new())


def stop(name: Name = DEFAULT_NAME) -> None:
    """Power a machine off. Its disk stays: `run` starts it again."""
    machine = Machine(name)
    if not machine.is_running():
        err.print(f"The machine {name} is stopped already.")
        return
    progress = ScreenProgress()
    with progress.step(f"Stopping the machine {name}"):
        graceful = machine.stop()
    if not graceful:
        progress.warn(
            f"{name} did not react to its power button in time and was switched off: see `{program()} logs {name}`"
        )


def rm(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Also when it is running: it is switched off.")] = False,
) -> None:
    """Remove a machine with its disks."""
    store = MachineStore()
    store.read(name)
    with store.lock(name):
        machine = Machine(name, store)
        if machine.is_running() and not force:
            raise UsageFault(
                f"the machine {name} is running", f"stop it first ({program()} stop {name}), or give --force"
            )
        machine.remove()


def docker(
    name: Name,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="-- ARGS...", help="For the Docker client.")] = None,
    env: Annotated[
        bool, typer.Option("--env", help="Print the variables for any Docker client instead, for `eval`.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --env: print them as JSON.")] = False,
) -> None:
    """Run a Docker command against a node; exits with the client's code.

    The client is this machine's, else the toolbox's. Any other client is led to the node by what --env prints.
    """
    machine = _running(name)
    variables = machine.docker_environment()
    if env:
        if json:
            print_json(variables)
        else:
            print(export_lines(variables))
        return
    command = client_command(arguments or [], variables, _toolbox, Path.cwd())
    sys.stdout.flush()
    os.execvpe(command[0], command, client_environment(variables, os.environ))  # noqa: S606 - no shell is wanted


def _running(name: str) -> Machine:
    machine = Machine(name)
    if not machine.is_running():
        raise UsageFault(f"the machine {name} is stopped", f"start it: {program()} run --name {name}")
    return machine


def _toolbox() -> Toolbox:
    from pinwheel.machine.launch import ready_toolbox

    return ready_toolbox(ScreenProgress())


def _copy_out(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
