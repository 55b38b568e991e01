# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Unix sockets in directories with long names: an address holds 107 bytes (unix(7)), a state directory may not fit."""

import os
import socket
from pathlib import Path


def connect(directory: Path, name: str, timeout: float) -> socket.socket:
    """Connect to the socket `name` in `directory`, through /proc so that the length of its path does not matter.

    Args:
        directory: where the socket is.
        name: its file name.
        timeout: seconds, for the connecting only; the socket given blocks.

    Raises:
        OSError: nobody listens there.
    """
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(f"/proc/self/fd/{descriptor}/{name}")
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    finally:
        os.close(descriptor)
    return connection
