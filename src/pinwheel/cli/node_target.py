# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From a node's name to a way to it: machines of `pinwheel run` are nodes too."""

import socket

from pinwheel.api.client.transport import TlsTransport
from pinwheel.cli.machine_view import program
from pinwheel.cli.node_store import NodeStore
from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.machine.certificates import CLIENT_CERTIFICATE, CLIENT_KEY
from pinwheel.machine.machine import API_CERTIFICATES, Machine
from pinwheel.machine.record import LOOPBACK
from pinwheel.machine.store import MachineStore


class NodeTransport:
    """The way to a node of this name, found anew for each connection: a machine that starts again may have moved."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def host(self) -> str:
        """See `Transport.host`."""
        return find_transport(self.name).host

    def connect(self) -> socket.socket:
        """See `Transport.connect`."""
        return find_transport(self.name).connect()


def known_names() -> list[str]:
    """Give the names of all nodes: machines, and those that were added."""
    return sorted({*MachineStore().names(), *NodeStore().names()})


def find_transport(name: str) -> TlsTransport:
    """Give the way to a node as it is now.

    Raises:
        UsageFault: there is no such node, or its machine is stopped.
        EnvironmentFault: its machine has not said yet how it is known.
    """
    if MachineStore().exists(name):
        return machine_transport(Machine(name))
    if NodeStore().exists(name):
        return NodeStore().transport(name)
    names = ", ".join(known_names())
    hint = f"there are: {names}" if names else f"make one: {program()} run; or add one: {program()} node add"
    raise UsageFault(f"there is no node {name!r}", hint)


def machine_transport(machine: Machine) -> TlsTransport:
    """Give the way to a machine's node; raises as `find_transport` does."""
    if not machine.is_running():
        raise UsageFault(f"the machine {machine.name} is stopped", f"start it: {program()} run --name {machine.name}")
    status = machine.status()
    if status is None or not status.api.fingerprint or machine.record.api_port is None:
        booting = status is None or not status.ready
        hint = "it is booting: try again in a moment" if booting else "is settings.api.remote.enabled true there?"
        raise EnvironmentFault(f"the node {machine.name} has not said yet how its API is reached", hint)
    directory = machine.directory / API_CERTIFICATES
    return TlsTransport(
        LOOPBACK,
        machine.record.api_port,
        directory / CLIENT_CERTIFICATE,
        directory / CLIENT_KEY,
        fingerprint=status.api.fingerprint,
    )
