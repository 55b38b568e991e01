# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How registries are reached, as the settings say: mirrors, credentials, proxies, and which may be reached unsafely.

Pure: what is decided here is where to ask, how, and with whose name; `pinwheel.node.containers.http` does it.
"""

import base64
import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

from pinwheel.node.containers.reference import DEFAULT_REGISTRY

_HUB = "registry-1.docker.io"
"""Where the registry is that everybody calls docker.io."""
_HUB_NAMES = frozenset({DEFAULT_REGISTRY, _HUB, "index.docker.io"})
_ALWAYS_DIRECT = ("localhost", "127.0.0.0/8", "::1/128")


class Login(NamedTuple):
    """Whose name to use at a registry."""

    user: str = ""
    password: str = ""
    refresh_token: str = ""
    """Instead of both: of the registry's login service (OAuth 2)."""

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


class Endpoint(NamedTuple):
    """A server to ask for an image."""

    url: str
    """`https://host:port`, without a path."""
    registry: str
    """Whose credentials count there: that of the mirror itself, `host:port`, or the registry's."""
    is_mirror: bool = False


class Proxy(NamedTuple):
    """A proxy on the way."""

    host: str
    port: int
    authorization: str = ""
    """The value of a Proxy-Authorization header."""


class Access(NamedTuple):
    """All of it; written to a file of mode 0600."""

    mirrors: Mapping[str, Sequence[str]] = {}
    """Registry -> URLs, to be tried in this order before the registry itself."""
    logins: Mapping[str, Sequence[str]] = {}
    """Registry -> user, password, refresh token: `Login`."""
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: Sequence[str] = ()
    insecure: Sequence[str] = ()
    """Registries that may be reached over plain HTTP, or with a certificate that cannot be verified: `host`,
    `host:port`, or a network in CIDR notation."""

    def to_json(self) -> bytes:
        """Write it down."""
        return json.dumps(self._asdict(), indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

    def endpoints(self, registry: str) -> list[Endpoint]:
        """Give the servers to ask for the images of a registry, in this order."""
        mirrors = [
            Endpoint(url.rstrip("/"), urlsplit(url).netloc, is_mirror=True) for url in self.mirrors.get(registry, ())
        ]
        host = _HUB if registry in _HUB_NAMES else registry
        schemes = ("https", "http") if self.is_insecure(host) else ("https",)
        return [*mirrors, *(Endpoint(f"{scheme}://{host}", registry) for scheme in schemes)]

    def login(self, registry: str) -> Login | None:
        """Give the credentials for a registry."""
        names = _HUB_NAMES if registry in _HUB_NAMES else {registry}
        found = next((self.logins[name] for name in sorted(names) if name in self.logins), None)
        return Login(*found) if found else None

    def is_insecure(self, authority: str) -> bool:
        """Say whether a server, `host` or `host:port`, may be reached unsafely; the node itself always may."""
        host = _host(authority)
        return authority in self.insecure or any(_covers(entry, host) for entry in (*self.insecure, *_ALWAYS_DIRECT))

    def proxy(self, scheme: str, authority: str) -> Proxy | None:
        """Give the proxy on the way to a server."""
        url = self.https_proxy if scheme == "https" else self.http_proxy
        direct = any(_exempts(entry, authority) for entry in (*self.no_proxy, *_ALWAYS_DIRECT))
        return None if direct or not url else _proxy(url)


def _proxy(url: str) -> Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    login = Login(unquote(parts.username or ""), unquote(parts.password or "")).basic if parts.username else ""
    return Proxy(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), login)


def _host(authority: str) -> str:
    return urlsplit(f"//{authority}").hostname or ""


def _covers(entry: str, host: str) -> bool:
    """Say whether an entry is this host, or a network that it is in."""
    if "/" not in entry:
        return entry.strip("[]").lower() == host
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _exempts(entry: str, authority: str) -> bool:
    """Say whether an entry of a list of exceptions from the proxy means a server, as Go programs read such a list.

    `example.com` and `.example.com` mean the domain and all below, `host:port` that port alone, `*` everything.
    """
    host = _host(authority)
    if entry in ("*", authority) or _covers(entry, host):
        return True
    domain = entry.removeprefix("*").lstrip(".").lower()
    return "/" not in entry and bool(domain) and host.endswith(f".{domain}")
