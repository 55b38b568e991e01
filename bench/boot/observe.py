# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is done in a guest once its first container has run: the same containers, at the same moments, for both systems.

A container called `observer` waits half a minute, prints /proc/meminfo, waits until a second container of the same
image is running beside it, prints /proc/meminfo again, and then the kernel's tables of sockets. Both are in the host's
network namespace, so the tables are the node's own, and neither has a Docker client waiting for it inside the guest.
What the second container adds to the memory in use is what the first one had cost: that much is taken off
(`idle_memory`).
"""

import re
from dataclasses import dataclass

from bench.boot.guest_files import Memory, idle_memory, open_ports, parse_meminfo

FIRST_CONTAINER = "bench: first container"
"""What the first container prints."""

IDLE_SECONDS = 30
"""From the start of the observer to its first reading."""
SECOND_CONTAINER_AT = 35
"""Seconds after the observer's start, with room for one that started late."""
SECOND_READING_AFTER = 30
"""Seconds between the two readings: the second container has been idle for some 20 s by then."""
REPORT_AT = IDLE_SECONDS + SECOND_READING_AFTER + 3
"""When the observer's output is wanted; before that, nobody disturbs the node by asking."""

_TABLES = ("tcp", "tcp6", "udp", "udp6")
END = "bench: end"
"""The last line of what the observer prints."""

OBSERVER_SCRIPT = "; ".join([
    f"sleep {IDLE_SECONDS}",
    "sed 's/^/bench: one /' /proc/meminfo",
    f"sleep {SECOND_READING_AFTER}",
    "sed 's/^/bench: two /' /proc/meminfo",
    *(f"sed 's/^/bench: {table} /' /proc/net/{table}" for table in _TABLES),
    f"echo '{END}'",
])  # fmt: skip


def first_container(reference: str) -> list[str]:
    """Give the arguments of `docker` for the first container."""
    return ["run", "--rm", reference, "echo", FIRST_CONTAINER]


def observer(reference: str) -> list[str]:
    """Give the arguments of `docker` that start the observer."""
    return ["run", "--detach", "--name", "observer", "--network", "host", reference, "sh", "-c", OBSERVER_SCRIPT]


def second_container(reference: str) -> list[str]:
    """Give the arguments of `docker` that start the container to compare with: as the observer, and idle."""
    return ["run", "--detach", "--network", "host", reference, "sh", "-c", "sleep 600; true"]


def report() -> list[str]:
    """Give the arguments of `docker` that print what the observer saw, to its end."""
    return ["logs", "--follow", "observer"]


@dataclass(frozen=True)
class Observation:
    """What an idle node looks like from inside."""

    idle: Memory
    """Without the observing container."""
    with_container: Memory
    """As it was read, with the observing container in it."""
    ports: list[str]


def read_report(text: str) -> Observation:
    """Read the observer's output, which may have other lines in between (a console's)."""
    one, two = (parse_meminfo(_section(text, name)) for name in ("one", "two"))
    tables = {name: _section(text, name) for name in _TABLES}
    return Observation(idle_memory(one, two), one, open_ports(tables))


def _section(text: str, name: str) -> str:
    return "\n".join(re.findall(rf"bench: {name} (.*)$", text, re.MULTILINE))
