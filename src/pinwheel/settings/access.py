# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of those who look at the node from elsewhere: its API on the network, where its log goes."""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.secret import Secret
from pinwheel.settings.types import Certificates, Host, Port, Url

LogLevel = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
SYSLOG_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
"""RFC 5426, RFC 6587, RFC 5425."""


class RemoteApi(Namespace, frozen=True):
    """The node's API on the network: mutual TLS or nothing."""

    enabled: Annotated[
        bool,
        setting(
            "Whether the API listens on the network. It needs `client-ca`. The node makes its own certificate, whose "
            "fingerprint is on the console.",
            example=True,
        ),
    ] = False
    port: Annotated[Port, setting("The TCP port.", example=8443, allowed="1 to 65535")] = 8443
    client_ca: Annotated[
        Certificates | None,
        setting(
            "The certificates of the authorities whose clients may use the API. A client's rights are those of the "
            "role that its certificate names as its organisation: `pinwheel:reader`, `pinwheel:operator` or "
            "`pinwheel:admin`.",
            example="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
            allowed="PEM, encoded in base64",
        ),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: TLS or nothing."""
        if self.enabled and self.client_ca is None:
            yield "", "enabled, but without client-ca"


class Api(Namespace, frozen=True):
    """The node's API."""

    remote: Annotated[
        RemoteApi,
        setting("The API on the network.", example={}, fallback="the API opens no port", whole=True),
    ] = RemoteApi()


class Syslog(Namespace, frozen=True):
    """A syslog server that gets the node's journal (RFC 5424)."""

    host: Annotated[
        Host | None,
        setting(
            "The server. Without it, nothing is sent.",
            example="logs.example.com",
            allowed="a host name or IP address",
        ),
    ] = None
    protocol: Annotated[
        Literal["udp", "tcp", "tls"],
        setting("How it is sent. With `tls`, the server needs a certificate that the node trusts.", example="tls"),
    ] = "udp"
    port: Annotated[
        Port | None,
        setting("The server's port. Without it: 514, with `tls` 6514.", example=6514, allowed="1 to 65535"),
    ] = None

    @property
    def effective_port(self) -> int:
        """The port to send to."""
        return self.port or SYSLOG_PORTS[self.protocol]


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", text):
        raise ValueError("not the name of an HTTP header")
    return text


def _line(value: Secret) -> Secret:
    if not (text := value.get_secret_value()).isascii() or not text.isprintable():
        raise ValueError("not one line of printable ASCII text")
    return value


class Otlp(Namespace, frozen=True):
    """A collector that gets the node's journal by OTLP over HTTP, as JSON (opentelemetry.io)."""

    endpoint: Annotated[
        Url | None,
        setting(
            "The collector. Without it, nothing is sent. `/v1/logs` is added where the address has no path.",
            example="https://otlp.example.com:4318",
            allowed="an HTTP or HTTPS address",
        ),
    ] = None
    headers: Annotated[
        dict[Annotated[str, Check(_header)], Annotated[Secret, Check(_line)]],
        setting(
            "HTTP headers that are sent along, such as a key.",
            example={"api-key": "s3cret"},
            allowed="texts of one line",
        ),
    ] = field(default_factory=dict)


class Logging(Namespace, frozen=True):
    """Where the node's journal goes besides."""

    level: Annotated[LogLevel, setting("The least important messages that are sent on.", example="warning")] = "info"
    syslog: Annotated[
        Syslog,
        setting("A syslog server.", example={}, fallback="nothing is sent to a syslog server", whole=True),
    ] = Syslog()
    otlp: Annotated[
        Otlp,
        setting("A collector of OpenTelemetry.", example={}, fallback="nothing is sent to a collector", whole=True),
    ] = Otlp()
