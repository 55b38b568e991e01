# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Who is at the other end: a process on the node, or the holder of a client certificate; and what that one may do."""

import socket
import struct
from typing import Any, NamedTuple

from pinwheel.api.endpoint import ROLES, Role

ROLE_PREFIX = "pinwheel:"
"""A client certificate names a role as its subject's organization: `O=pinwheel:reader`."""
_CREDENTIALS = struct.Struct("3i")
"""struct ucred of unix(7): pid, uid, gid."""


class Client(NamedTuple):
    """One client."""

    role: Role | None
    """None: a certificate that says nothing of a role; nothing is allowed."""
    author: dict[str, Any]
    """The fields of `pinwheel.node.actuator.protocol.Author`."""
    key: str
    """What connections are counted by: the same for all of one client's."""


def local_client(connection: socket.socket) -> Client:
    """Describe the process that connected to a unix socket. The socket's mode has let it in: it is an admin."""
    content = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(content)
    return Client("admin", {"kind": "local", "uid": uid, "pid": pid}, f"uid {uid}")


def remote_client(certificate: dict[str, Any], encoded: bytes, address: str) -> Client:
    """Describe the holder of a certificate that was verified.

    Args:
        certificate: as `ssl.SSLSocket.getpeercert` gives it.
        encoded: the same in DER.
        address: of the peer.
    """
    import hashlib

    subject = [pair for part in certificate.get("subject", ()) for pair in part]
    name = next((value for key, value in subject if key == "commonName"), "")
    author = {"kind": "certificate", "name": name[:200], "fingerprint": hashlib.sha256(encoded).hexdigest()}
    return Client(certificate_role(subject), author, address)


def certificate_role(subject: list[tuple[str, str]]) -> Role | None:
    """Give the one role that a subject names; none when it names none, an unknown one, or several."""
    organizations = (value for key, value in subject if key == "organizationName")
    named = {value.removeprefix(ROLE_PREFIX) for value in organizations if value.startswith(ROLE_PREFIX)}
    return next((role for role in ROLES if named == {role}), None)


def may(client: Client, role: Role) -> bool:
    """Say whether a client may do what needs a role."""
    return client.role is not None and ROLES.index(client.role) >= ROLES.index(role)
