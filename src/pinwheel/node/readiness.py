# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Is the node ready? Data, engine and network are there, no unit has failed; anything else is a reason to name."""

import socket
import time
from typing import NamedTuple

from pinwheel.node.containers.report import stopping_reasons
from pinwheel.node.network import operational_state
from pinwheel.node.paths import DATA_IS_ENCRYPTED, DATA_PARTITIONS, ENGINE_SOCKET, MOUNTS, SYSTEMCTL, Paths
from pinwheel.node.programs import run

PING_SECONDS = 2.0
"""How long the engine may take for one answer."""
SYSTEMCTL_SECONDS = 20.0
_PING = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"


class Readiness(NamedTuple):
    """What was found; ready when there is no reason against it."""

    reasons: tuple[str, ...]
    failed_units: tuple[str, ...] = ()
    """Those among the reasons; empty too where nobody has looked."""

    @property
    def ready(self) -> bool:
        """Whether workloads can be given to the node."""
        return not self.reasons


def quick_check(paths: Paths) -> Readiness:
    """Look at data, engine and network: three file-system operations and one request."""
    return Readiness((*_data(paths), *_engine(paths), *_network(paths)))


def full_check(paths: Paths) -> Readiness:
    """Look at the units as well, which starts a program."""
    return with_units(quick_check(paths), failed_units(paths))


def with_units(readiness: Readiness, failed: list[str] | None) -> Readiness:
    """Add what systemd says about failed units, `failed_units`, to the reasons."""
    if failed is None:
        return readiness._replace(reasons=(*readiness.reasons, "systemd does not say which units have failed"))
    reasons = (f"unit {unit} has failed" for unit in failed)
    return Readiness((*readiness.reasons, *reasons), tuple(failed))


class FailedUnits:
    """What systemd says about failed units, asked for at most every so many seconds."""

    def __init__(self, paths: Paths, every: float) -> None:
        self._paths = paths
        self._every = every
        self._next = 0.0
        self._failed: list[str] | None = []

    def look(self) -> list[str] | None:
        """Give what `failed_units` gives, which may be as old as the pause between two questions."""
        if time.monotonic() >= self._next:
            self._failed = failed_units(self._paths)
            self._next = time.monotonic() + self._every
        return self._failed


def engine_answers(paths: Paths) -> bool:
    """Ask the engine on its socket (Docker Engine API, `GET /_ping`)."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(PING_SECONDS)
            channel.connect(str(paths.at(ENGINE_SOCKET)))
            channel.sendall(_PING)
            status_line = channel.makefile("rb").readline(64)
    except OSError:
        return False
    return status_line.split()[1:2] == [b"200"]


def is_mounted(paths: Paths, mount_point: str) -> bool:
    """Say whether something is mounted at a place."""
    return any(line.split()[1:2] == [mount_point] for line in paths.text(MOUNTS).splitlines())


def _data(paths: Paths) -> list[str]:
    # A mount that waits for its device in vain is no failed unit, and the engine says nothing of why it cannot start.
    if is_mounted(paths, "/var"):
        return []
    is_made = any(paths.at(partition).exists() for partition in DATA_PARTITIONS)
    if is_made and paths.at(DATA_IS_ENCRYPTED).exists():
        return ["the encrypted data partition is not open: it needs the TPM and Secure Boot as when it was made"]
    return ["no data partition is mounted on /var: is the disk too small for one?"]


def _engine(paths: Paths) -> list[str]:
    if engine_answers(paths):
        return []
    return stopping_reasons(paths) or [f"the container engine does not answer on {ENGINE_SOCKET}"]


def _network(paths: Paths) -> list[str]:
    state = operational_state(paths)
    return [] if state == "routable" else [f"the network is not up (its state is {state or 'unknown'})"]


def failed_units(paths: Paths) -> list[str] | None:
    """Ask systemd which units have failed; None when it does not say."""
    import json

    try:
        outcome = run(paths.at(SYSTEMCTL), "list-units", "--failed", "--output=json", seconds=SYSTEMCTL_SECONDS)
        units = json.loads(outcome.output) if outcome.status == 0 else None
    except (OSError, ValueError):
        return None
    return None if units is None else [unit["unit"] for unit in units]
