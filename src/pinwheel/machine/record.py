# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a machine is, as `machine.json` keeps it: the one description from which QEMU's command line is derived."""

import re
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from pinwheel.errors import UsageFault

MIB = 1024**2
GIB = 1024**3

DEFAULT_NAME = "default"
DEFAULT_VARIANT = "docker"
DEFAULT_MEMORY = 2 * GIB
DEFAULT_CPUS = 2
DEFAULT_DISK_SIZE = 8 * GIB
SMALLEST_MEMORY = 256 * MIB
"""Below this the firmware and the kernel with its initrd do not fit."""

LOOPBACK = "127.0.0.1"
DOCKER_GUEST_PORT = 2376
"""Where the engine listens inside the machine, with TLS (the port that Docker registered for it)."""
API_GUEST_PORT = 8443
"""Where the settings API listens inside the machine."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?", re.IGNORECASE)
_FORWARD = re.compile(r"(?:(?P<address>[^:]+):)?(?P<host>\d+):(?P<guest>\d+)(?:/(?P<protocol>tcp|udp))?")
_UNITS = {"K": 1024, "M": MIB, "G": GIB, "T": 1024**4}


class PortForward(BaseModel):
    """A port of the workstation that leads into the machine."""

    model_config = ConfigDict(frozen=True)

    address: str = LOOPBACK
    host: int = Field(ge=1, le=65535)
    guest: int = Field(ge=1, le=65535)
    protocol: Literal["tcp", "udp"] = "tcp"

    def __str__(self) -> str:
        return f"{self.address}:{self.host}->{self.guest}/{self.protocol}"


class MachineRecord(BaseModel):
    """The content of `machine.json`. Sizes are bytes."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    name: str
    uuid: str = Field(default_factory=lambda: str(uuid4()))
    """On QEMU's command line: how the process of this machine is told from all others."""
    variant: str = DEFAULT_VARIANT
    image: str
    """The file that the disk was copied from; for the user's eyes, it may be gone by now."""
    version: str | None = None
    """The version that the node last said it runs."""
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    memory: int = DEFAULT_MEMORY
    cpus: int = DEFAULT_CPUS
    publish: tuple[PortForward, ...] = ()
    disk_size: int = DEFAULT_DISK_SIZE
    data_disk_size: int | None = None
    tpm: bool = False
    """Whether it has a TPM; machines of before there was one have none."""
    hands_user_data: bool = True
    """Whether the firmware hands user data to the node. Without it the node looks elsewhere, and opens no port if there
    is none."""
    docker_port: int
    """The port of 127.0.0.1 that leads to the engine's API."""
    api_port: int | None = None
    """The port of 127.0.0.1 that leads to the settings API; None until the machine is started."""


def check_name(name: str) -> str:
    """Give the name back when it can be a directory and a host name.

    Raises:
        UsageFault: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageFault(
            f"{name!r} cannot be the name of a machine",
            "use up to 63 lower-case letters, digits and hyphens, with a letter or digit first and last",
        )
    return name


def parse_size(text: str) -> int:
    """Read a size such as 512M or 8G (binary units, as QEMU and Docker read them) as bytes.

    Raises:
        UsageFault: it is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match or not (size := int(float(match[1]) * _UNITS[match[2].upper()])):
        raise UsageFault(f"{text!r} is not a size", "write a number and its unit: 512M, 8G")
    return size


def parse_forward(text: str) -> PortForward:
    """Read a published port: HOST:GUEST or ADDRESS:HOST:GUEST, with /udp behind it when it is not TCP.

    Raises:
        UsageFault: it is none.
    """
    match = _FORWARD.fullmatch(text)
    if not match or not all(1 <= int(match[side]) <= 65535 for side in ("host", "guest")):
        raise UsageFault(
            f"{text!r} is not a port to publish", "write HOST:GUEST, for instance 8080:80 or 0.0.0.0:53:53/udp"
        )
    given = {key: value for key, value in match.groupdict().items() if value}
    try:
        IPv4Address(given.get("address", LOOPBACK))
    except AddressValueError:
        raise UsageFault(
            f"{given['address']!r} in {text!r} is not an IPv4 address", "for all of them write 0.0.0.0"
        ) from None
    return PortForward.model_validate(given)
