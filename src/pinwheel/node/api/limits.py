# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How much of the service one client, or all of them together, can take up. Sizes in bytes, times in seconds."""

from typing import NamedTuple

KIB = 1024


class Limits(NamedTuple):
    """Every limit of the service."""

    connections: int = 64
    """At one time. Further ones are told so and closed."""
    connections_of_one: int = 48
    """Of one user of the node, or of one address."""
    streams: int = 16
    """Answers without an end (logs that are followed, events, commands) at one time."""
    handshake_seconds: float = 10.0
    """For TLS."""
    idle_seconds: float = 20.0
    """A connection without a request is kept so long."""
    head_seconds: float = 10.0
    """From the first byte of a request to the end of its head."""
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    """How long a client may leave an answer unread when the buffers between are full."""
    head_bytes: int = 16 * KIB
    body_bytes: int = 1024 * KIB
    drained_bytes: int = 4 * 1024 * KIB
    """So much of a refused body is still read, so that its sender comes to read the answer."""
    drain_seconds: float = 2.0
    finish_seconds: float = 10.0
    """So long the process stays for answers when it is told to leave."""
    leave_after_seconds: float = 60.0
    """The process ends when there was no connection for so long."""
