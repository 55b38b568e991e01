# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel node`: nodes by their names, wherever they run."""

from pathlib import Path
from typing import Annotated

import typer

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.http import Client
from pinwheel.cli.machine_view import program
from pinwheel.cli.node_command import NodeGroup
from pinwheel.cli.node_store import NewNode, NodeRecord, NodeStore, parse_address, parse_fingerprint, transport_of
from pinwheel.cli.node_target import known_names
from pinwheel.cli.screen import err, print_json, print_table
from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import API_GUEST_PORT, LOOPBACK
from pinwheel.machine.store import MachineStore

VERBS = ("add", "ls", "rm")

node = typer.Typer(
    cls=NodeGroup,
    help="Ask and change a node: `pinwheel node NAME VERB`.\n\nMachines of `pinwheel run` are nodes by themselves; "
    "others are made known with `add`. `pinwheel node NAME --help` lists the verbs.",
    short_help="Ask and change a node through its API.",
    no_args_is_help=True,
)


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(node, name="node")


@node.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call the node here.")],
    address: Annotated[str, typer.Option(metavar="HOST[:PORT]", help=f"Where it is; the port is {API_GUEST_PORT}.")],
    certificate: Annotated[Path, typer.Option(help="Your certificate, PEM; its O is your role.")],
    key: Annotated[Path, typer.Option(help="Your certificate's private key, PEM.")],
    fingerprint: Annotated[
        str | None, typer.Option(help="Of the node's certificate, as its console shows it: sha256:...")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Instead: who has signed the node's certificate, PEM.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the node whether it is the one.")] = False,
) -> None:
    """Make a node known: certificate and key are copied."""
    if name in VERBS:
        raise UsageFault(f"{name!r} is a verb of `{program()} node`", "choose another name")
    if MachineStore().exists(name):
        raise UsageFault(f"there is a machine {name!r}, which is a node by itself", "choose another name")
    if (fingerprint is None) == (ca is None):
        raise UsageFault("how is the node known?", "give --fingerprint, which its console shows; or --ca")
    host, port = parse_address(address, API_GUEST_PORT)
    record = NodeRecord(
        name=name, address=host, port=port, fingerprint=parse_fingerprint(fingerprint) if fingerprint else ""
    )
    new = NewNode(record, certificate, key, ca)
    if not offline:
        err.print(f"{name} is {_ask(new)}.", markup=False)
    NodeStore().add(new)


@node.command()
def ls(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the nodes that are known here."""
    rows = [_row(name) for name in known_names()]
    if json:
        print_json(rows)
    elif rows:
        print_table(("NAME", "ADDRESS", "KNOWN BY"), ((row["name"], row["address"], row["known_by"]) for row in rows))
    else:
        err.print(f"There is no node yet. Make one: {program()} run", markup=False)


@node.command()
def rm(
    name: Annotated[str, typer.Argument(help="The node's name.", autocompletion=lambda: NodeStore().names())],
) -> None:
    """Forget a node, with your key to it. The node itself is not touched."""
    if not NodeStore().exists(name) and MachineStore().exists(name):
        raise UsageFault(f"{name} is a machine", f"remove it with: {program()} rm {name}")
    NodeStore().remove(name)


def _ask(new: NewNode) -> str:
    try:
        return str(Client(transport_of(new)).get("/os")["pretty_name"])
    except ApiFailed as failure:
        hint = failure.hint or "with --offline it is added without being asked"
        raise EnvironmentFault(f"the node was not added: {failure.message}", hint) from failure


def _row(name: str) -> dict[str, str]:
    if MachineStore().exists(name):
        machine = Machine(name)
        port = machine.record.api_port
        address = f"{LOOPBACK}:{port}" if port and machine.is_running() else ""
        return {"name": name, "address": address, "known_by": f"machine, {machine.state()}"}
    record = NodeStore().read(name)
    shown = f"[{record.address}]" if ":" in record.address else record.address
    return {"name": name, "address": f"{shown}:{record.port}", "known_by": record.fingerprint or "its authority"}
