# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API as a service: `launch api`, started by its sockets, gone when nobody has asked for a minute."""

import asyncio
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pinwheel.node.api.app import App
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.node import Node
from pinwheel.node.api.server import Server
from pinwheel.node.paths import Paths

if TYPE_CHECKING:
    from ssl import SSLContext

FIRST_DESCRIPTOR = 3
"""Where systemd puts its sockets: sd_listen_fds(3)."""
CERTIFICATE, KEY, CLIENTS = "cert.pem", "key.pem", "clients.pem"
"""The service's credentials, of the remote API only."""


def main() -> int:
    """Serve."""
    environment = os.environ
    runtime = Path(environment["RUNTIME_DIRECTORY"])
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    tls = tls_context(Path(credentials)) if credentials else None
    asyncio.run(serve(inherited(environment), Node(Paths(), runtime, Limits()), tls))
    return 0


async def serve(listeners: list[socket.socket], node: Node, tls: "SSLContext | None" = None) -> None:
    """Serve until idle, or until systemd wants it to end."""
    server = Server(App(node), node.limits)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve(listeners, tls)


def inherited(environment: Mapping[str, str]) -> list[socket.socket]:
    """Give the listening sockets that systemd passes.

    Raises:
        OSError: it passed none.
    """
    count = int(environment.get("LISTEN_FDS", "0")) if environment.get("LISTEN_PID") == str(os.getpid()) else 0
    if not count:
        raise OSError("not started by a socket unit")
    return [socket.socket(fileno=FIRST_DESCRIPTOR + number) for number in range(count)]


def tls_context(credentials: Path) -> "SSLContext":
    """Give what the remote API demands: TLS 1.3, and a certificate that the clients' CA has signed.

    Raises:
        OSError: a file is missing, or is none.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.num_tickets = 0  # nothing to resume: each connection shows its certificate
    context.load_cert_chain(credentials / CERTIFICATE, credentials / KEY)
    context.load_verify_locations(credentials / CLIENTS)
    return context
