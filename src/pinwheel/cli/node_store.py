# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The nodes that the user has made known: where they are, who they are, and with which certificate to talk to them.

A node is a directory with its final name and a `node.json` in it; it is made under another name, and renamed when it is
whole. The client's private key is in it, for its owner's eyes only.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinwheel.api.client.transport import TlsTransport
from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.machine.certificates import write_private_files
from pinwheel.machine.record import check_name
from pinwheel.paths import state_directory

RECORD, CERTIFICATE, KEY, AUTHORITY = "node.json", "cert.pem", "key.pem", "ca.pem"
_FINGERPRINT = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class NodeRecord(BaseModel):
    """The content of `node.json`."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    name: str
    address: str
    port: int = Field(ge=1, le=65535)
    fingerprint: str = ""
    """Of the node's certificate; empty where an authority is known instead."""


@dataclass(frozen=True)
class NewNode:
    """A node to be made known; the files are read and copied."""

    record: NodeRecord
    certificate: Path
    key: Path
    authority: Path | None = None


class NodeStore:
    """All nodes of this user, or those below another directory."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or state_directory() / "nodes"

    def names(self) -> list[str]:
        """Give the names of all nodes, sorted."""
        return sorted(file.parent.name for file in self.root.glob(f"[!.]*/{RECORD}"))

    def exists(self, name: str) -> bool:
        """Tell whether there is such a node."""
        return (self.root / check_name(name) / RECORD).is_file()

    def read(self, name: str) -> NodeRecord:
        """Give what is known of a node.

        Raises:
            UsageFault: there is none of this name.
            EnvironmentFault: its record cannot be read.
        """
        path = self.root / check_name(name) / RECORD
        try:
            return NodeRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise UsageFault(f"there is no node {name!r}", "pinwheel node ls lists them") from None
        except ValidationError as error:
            raise EnvironmentFault(f"{path} is damaged: {error}", f"pinwheel node rm {name}") from None

    def transport(self, name: str) -> TlsTransport:
        """Give the way to a node; raises as `read` does."""
        record, directory = self.read(name), self.root / name
        return _transport(record, directory / CERTIFICATE, directory / KEY, directory / AUTHORITY)

    def add(self, new: NewNode) -> None:
        """Make a node known.

        Raises:
            UsageFault: there is one of this name, or a file cannot be read.
        """
        if self.exists(new.record.name):
            message = f"there is a node {new.record.name!r} already"
            raise UsageFault(message, f"remove it first (pinwheel node rm {new.record.name}), or choose another name")
        files = {CERTIFICATE: _read(new.certificate), KEY: _read(new.key)}
        if new.authority:
            files[AUTHORITY] = _read(new.authority)
        files[RECORD] = new.record.model_dump_json(indent=2).encode() + b"\n"
        fresh = self.root / f".new-{new.record.name}"
        shutil.rmtree(fresh, ignore_errors=True)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private_files(fresh, files)
        fresh.rename(self.root / new.record.name)

    def remove(self, name: str) -> None:
        """Forget a node; raises UsageFault when there is none."""
        if not self.exists(name):
            self.read(name)
        shutil.rmtree(self.root / name)


def transport_of(new: NewNode) -> TlsTransport:
    """Give the way to a node that is yet to be made known."""
    return _transport(new.record, new.certificate, new.key, new.authority)


def _transport(record: NodeRecord, certificate: Path, key: Path, authority: Path | None) -> TlsTransport:
    known = {"fingerprint": record.fingerprint} if record.fingerprint else {"authority": authority}
    return TlsTransport(record.address, record.port, certificate, key)._replace(**known)


def parse_address(text: str, default_port: int) -> tuple[str, int]:
    """Read HOST, HOST:PORT, or [IPV6]:PORT.

    Raises:
        UsageFault: it is none.
    """
    match = re.fullmatch(r"(?:\[(?P<six>[0-9a-fA-F:.%\w]+)\]|(?P<host>[^\s:\[\]/]+))(?::(?P<port>\d{1,5}))?", text)
    port = int(match["port"] or default_port) if match else 0
    if not match or not 1 <= port <= 65535:
        raise UsageFault(f"{text!r} is not an address", "write HOST, HOST:PORT, or [IPV6]:PORT")
    return match["six"] or match["host"], port


def parse_fingerprint(text: str) -> str:
    """Read a fingerprint as a node shows it, with or without `sha256:`; colons between the digits are let pass.

    Raises:
        UsageFault: it is none.
    """
    plain = text.strip().lower()
    if ":" in plain.removeprefix("sha256:"):
        plain = plain.removeprefix("sha256:").replace(":", "")
    match = _FINGERPRINT.fullmatch(plain)
    if not match:
        raise UsageFault(f"{text!r} is not a fingerprint", "the node's console shows it: sha256: and 64 digits")
    return f"sha256:{match[1]}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageFault(f"cannot read {path}: {error.strerror}") from error
