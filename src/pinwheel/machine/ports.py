# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ports of the workstation: a free one for each API of a machine, and whether those to publish are free."""

import socket
from collections.abc import Iterable

from pinwheel.errors import UsageFault
from pinwheel.machine.record import LOOPBACK, PortForward


def choose_port(wanted: int | None, taken: Iterable[int] = ()) -> int:
    """Give a free TCP port of 127.0.0.1: the wanted one when it is free, so that a machine keeps its address.

    Args:
        wanted: the port that the machine had.
        taken: ports that the machine itself is about to publish.
    """
    taken = set(taken)
    if wanted and wanted not in taken and _is_free(LOOPBACK, wanted, socket.SOCK_STREAM):
        return wanted
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def check_free(forwards: Iterable[PortForward]) -> None:
    """Make sure that all of these can be published.

    Raises:
        UsageFault: a port is named twice, in use, or not for this user.
    """
    seen: set[tuple[str, int, str]] = set()
    for forward in forwards:
        key = (forward.address, forward.host, forward.protocol)
        kind = socket.SOCK_STREAM if forward.protocol == "tcp" else socket.SOCK_DGRAM
        if key in seen:
            raise UsageFault(f"port {forward.host} of {forward.address} is published twice", "leave one of them out")
        seen.add(key)
        if not _is_free(forward.address, forward.host, kind):
            raise UsageFault(
                f"port {forward.host} of {forward.address} cannot be published: it is in use, or not for this user",
                "choose another port on the left side of --publish",
            )


def _is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:  # as QEMU does: connections that linger from the last run are no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
