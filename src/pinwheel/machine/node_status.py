# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the node says about itself: the status document that it writes, one JSON document on a line (`"schema": 1`)."""

import re

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinwheel.settings.problem import Problem

_READY_LINE = re.compile(r"^pinwheel: ready (?P<pairs>.*)$", re.MULTILINE)


class UserDataStatus(BaseModel):
    """Where the node found its user data, and what was wrong with it."""

    source: str = "none"
    problems: list[Problem] = []


class RemoteStatus(BaseModel):
    """Where one of the node's services listens on the network."""

    port: int


class ApiStatus(BaseModel):
    """How the node's API is reached on the network."""

    remote: RemoteStatus | None = None
    """None where it is not."""
    fingerprint: str = ""
    """Of the node's certificate, `sha256:HEX`."""


class NodeStatus(BaseModel):
    """The node's status. What an older or newer node does not say has its empty value; what it says besides is kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    schema_version: int = Field(default=1, alias="schema")
    ready: bool
    reasons: list[str] = []
    version: str = ""
    variant: str = ""
    slot: str = ""
    root_hash: str = ""
    kernel: str = ""
    hostname: str = ""
    addresses: list[str] = []
    secure_boot: bool = False
    user_data: UserDataStatus = UserDataStatus()
    api: ApiStatus = ApiStatus()
    uptime_seconds: float = 0.0


def latest_status(lines: bytes) -> NodeStatus | None:
    """Give the last whole status line that can be read, or None."""
    for line in reversed(lines[: lines.rfind(b"\n") + 1].splitlines()):
        try:
            return NodeStatus.model_validate_json(line)
        except ValidationError:  # a line cut off by a power loss of the guest
            continue
    return None


def ready_from_console(text: str) -> NodeStatus | None:
    """Read the console's line `pinwheel: ready version=... addresses=...`: what there is where a status port is not."""
    matches = list(_READY_LINE.finditer(text))
    if not matches:
        return None
    pairs = dict(pair.split("=", 1) for pair in matches[-1]["pairs"].split() if "=" in pair)
    return NodeStatus(
        ready=True,
        version=pairs.get("version", ""),
        variant=pairs.get("variant", ""),
        slot=pairs.get("slot", ""),
        root_hash=pairs.get("root-hash", ""),
        addresses=[address for address in pairs.get("addresses", "").split(",") if address],
    )
