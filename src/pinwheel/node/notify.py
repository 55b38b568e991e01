# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tell systemd how a service is doing: sd_notify(3), which is one datagram."""

import os
import socket
from collections.abc import Mapping


def notify(message: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send a notification such as `READY=1`; say whether there was anyone to send it to.

    Raises:
        OSError: the socket named by $NOTIFY_SOCKET does not take it.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall(message.encode())
    return True
