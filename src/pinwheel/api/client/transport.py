# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The ways to a node's API: a unix socket on the node itself, mutual TLS from elsewhere.

Of the node's certificate either the fingerprint is known, which its console shows, or an authority that signed it. It
is looked at before the first byte of a request is sent.
"""

import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pinwheel.api.client.failure import ApiFailed

if TYPE_CHECKING:
    import ssl

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection, and for the other side's half of a TLS handshake."""
SOCKET = "/run/api.sock"
"""Where the API's socket is on a node, and where it is mounted in host containers."""
FINGERPRINT_PREFIX = "sha256:"

_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
"""A node that is switched off says no goodbye: after 25 s of silence, its connections end (tcp(7))."""
_UNANSWERED_MILLISECONDS = 25_000


class Transport(Protocol):
    """A way to one node."""

    @property
    def host(self) -> str:
        """What stands in the `Host` header."""

    def connect(self) -> socket.socket:
        """Give a connection that HTTP can be spoken on.

        Raises:
            ApiFailed: there is none.
        """


class UnixTransport(NamedTuple):
    """The socket on the node, or in a host container."""

    path: str = SOCKET

    @property
    def host(self) -> str:
        """See `Transport.host`."""
        return "localhost"

    def connect(self) -> socket.socket:
        """See `Transport.connect`."""
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.settimeout(CONNECT_TIMEOUT)
        try:
            channel.connect(self.path)
        except OSError as error:
            channel.close()
            raise ApiFailed(f"cannot open {self.path}: {error.strerror or error}", hint=_unix_hint(error)) from error
        return channel


class TlsTransport(NamedTuple):
    """A node's remote API, with a client certificate."""

    address: str
    port: int
    certificate: Path
    """PEM: the client's certificate; its subject's O is the role."""
    key: Path
    """PEM: the private key of it."""
    fingerprint: str = ""
    """SHA-256 of the node's certificate as `sha256:HEX`; the certificate is not looked at further then."""
    authority: Path | None = None
    """PEM: who must have signed the node's certificate, which must name the address, where no fingerprint is known."""

    @property
    def host(self) -> str:
        """See `Transport.host`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def connect(self) -> socket.socket:
        """See `Transport.connect`."""
        context = self._context()
        try:
            plain = socket.create_connection((self.address, self.port), CONNECT_TIMEOUT)
            _end_with_the_node(plain)
            channel = context.wrap_socket(plain, server_hostname=self.address)
        except OSError as error:
            raise ApiFailed(f"cannot reach {self.host}: {error}", hint=_tls_hint(error)) from error
        if self.fingerprint:
            self._compare(channel)
        return channel

    def _context(self) -> "ssl.SSLContext":
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if self.fingerprint:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # it is compared as a whole instead, in _compare
        try:
            if not self.fingerprint:
                context.load_verify_locations(self.authority)
            context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            message = f"cannot use the certificates for {self.host}: {error}"
            raise ApiFailed(message, hint="they must be PEM files: a certificate, its private key") from error
        return context

    def _compare(self, channel: "ssl.SSLSocket") -> None:
        found = fingerprint(channel.getpeercert(binary_form=True) or b"")
        if found != self.fingerprint:
            channel.close()
            raise ApiFailed(
                f"the node at {self.host} has another certificate than expected: {found}",
                hint="is this the node? Its console shows its fingerprint; one that was set up anew has a new one",
            )


def fingerprint(certificate: bytes) -> str:
    """Give the fingerprint of a certificate in DER."""
    import hashlib

    return FINGERPRINT_PREFIX + hashlib.sha256(certificate).hexdigest()


def _end_with_the_node(channel: socket.socket) -> None:
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE:
        channel.setsockopt(socket.IPPROTO_TCP, option, value)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MILLISECONDS)


def _unix_hint(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "the socket is for its group"
    if isinstance(error, FileNotFoundError):
        return "is this a node, or a host container of one?"
    return ""


def _tls_hint(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "does the node run, and is settings.api.remote.enabled true?"
    if isinstance(error, TimeoutError):
        return "does the node run, and does a network lead there?"
    return ""
