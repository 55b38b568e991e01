# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of the container engine.

`dockerd --validate` lets most mistakes pass that stop the engine at its start (an unknown log driver or log option, an
address pool whose subnets are larger than itself): these rules name them before.
"""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import Certificates, Free, InsecureRegistry, Port, PrivateKey

LogDriver = Literal["json-file", "local", "journald", "none", "syslog", "gelf", "fluentd", "awslogs"]

_SELECTION = frozenset({"labels", "labels-regex", "env", "env-regex", "tag"})
_FILES = frozenset({"max-size", "max-file", "compress"})
_ANY_DRIVER = frozenset(
    {"mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"}
)
_DRIVER_PREFIX = {"syslog": "syslog-", "gelf": "gelf-", "fluentd": "fluentd-", "awslogs": "awslogs-"}

_SIZE = r"(?i:[1-9]\d*(\.\d+)? ?[kmgt]?i?b?)"
_OPTION_VALUES = {
    "max-size": rf"-1|{_SIZE}",
    "max-file": r"[1-9]\d{0,3}",
    "compress": r"true|false",
    "mode": r"blocking|non-blocking",
    "max-buffer-size": _SIZE,
    "cache-disabled": r"true|false",
    "cache-max-size": _SIZE,
    "cache-max-file": r"[1-9]\d{0,3}",
    "cache-compress": r"true|false",
}
JSON_FILE_DEFAULTS = {"max-size": "10m", "max-file": "3"}
"""Without these the engine's default driver fills the data partition with one chatty container's log."""


OWNED_OPTIONS = {
    "containerd": "",
    "containerd-namespace": "",
    "containerd-plugin-namespace": "",
    "data-root": "",
    "default-address-pools": "docker.default-address-pools",
    "default-ulimits": "oci-defaults.resource-limits",
    "exec-opts": "",
    "exec-root": "",
    "group": "",
    "hosts": "docker.remote",
    "insecure-registries": "docker.insecure-registries",
    "log-driver": "docker.log-driver",
    "log-opts": "docker.log-opts",
    "pidfile": "",
    "proxies": "network.https-proxy",
    "registry-mirrors": "container-registry.mirrors",
    "storage-driver": "",
    "tls": "docker.remote",
    "tlscacert": "docker.remote",
    "tlscert": "docker.remote",
    "tlskey": "docker.remote",
    "tlsverify": "docker.remote",
}
"""Options of daemon.json that `engine-options` may not set, and the setting that does; empty: the image does."""


def _engine_option(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", text):
        raise ValueError("not the name of an option of daemon.json")
    return text


def _known_option(driver: str, option: str) -> bool:
    if option in _ANY_DRIVER:
        return driver != "none"
    if driver in _DRIVER_PREFIX:
        return option in _SELECTION or option.startswith(_DRIVER_PREFIX[driver])
    return option in {"json-file": _FILES | _SELECTION, "local": _FILES, "journald": _SELECTION}.get(
        driver, frozenset()
    )


def _good_value(option: str, value: str) -> bool:
    pattern = _OPTION_VALUES.get(option)
    return re.fullmatch(pattern, value) is not None if pattern else not any(ord(letter) < 32 for letter in value)


class AddressPool(Namespace, frozen=True):
    """A network from which the engine takes the subnets of its bridges."""

    base: Annotated[str, setting("The network.", example="172.30.0.0/16", allowed="a network in CIDR notation")]
    size: Annotated[
        int,
        setting(
            "The length of the prefix of each subnet.",
            example=24,
            unit="bits",
            allowed="from the prefix length of `base` to 32 (IPv6: 128)",
        ),
    ]

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: the subnets must fit into the network."""
        import ipaddress  # only nodes that set pools pay for it

        try:
            network = ipaddress.ip_network(self.base, strict=False)
        except ValueError:
            yield "", f'base is not a network such as "172.30.0.0/16": {self.base!a:.60}'
            return
        if not network.prefixlen <= self.size <= network.max_prefixlen:
            yield "", f"size must be from {network.prefixlen} to {network.max_prefixlen} for this base: {self.size}"


class Remote(Namespace, frozen=True):
    """The engine's API on the network: mutual TLS or nothing."""

    enabled: Annotated[
        bool,
        setting(
            "Whether the Docker API listens on the network. It needs the certificates and the key below; "
            "without them, or with one that is not valid, no port is opened.",
            example=True,
        ),
    ] = False
    port: Annotated[
        Port,
        setting(
            "The TCP port of the Docker API.",
            example=2376,
            allowed="1 to 65535",
        ),
    ] = 2376
    client_ca: Annotated[
        Certificates | None,
        setting(
            "The certificates of the authorities whose clients may use the API.",
            example="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
            allowed="PEM, encoded in base64",
        ),
    ] = None
    server_certificate: Annotated[
        Certificates | None,
        setting(
            "The node's certificate, followed by those that lead to its authority.",
            example="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
            allowed="PEM, encoded in base64",
        ),
    ] = None
    server_key: Annotated[
        PrivateKey | None,
        setting(
            "The private key of the node's certificate, without a pass phrase. Secret: it is shown nowhere.",
            example="LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1BPT0KLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=",
            allowed="PEM, encoded in base64",
        ),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: TLS or nothing."""
        needed = {
            "client-ca": self.client_ca,
            "server-certificate": self.server_certificate,
            "server-key": self.server_key,
        }
        missing = [name for name, value in needed.items() if value is None]
        if self.enabled and missing:
            yield "", f"enabled, but without {', '.join(missing)}"


class Docker(Namespace, frozen=True):
    """Docker Engine."""

    log_driver: Annotated[
        LogDriver,
        setting(
            "Where containers' output goes unless a container says otherwise.",
            example="local",
        ),
    ] = "json-file"
    log_opts: Annotated[
        dict[str, str],
        setting(
            "Options of the log driver. `json-file` rotates at `max-size` 10m with `max-file` 3 unless given here.",
            example={"max-size": "10m", "max-file": "3"},
            allowed="the options of the log driver in use; all values are texts",
        ),
    ] = field(default_factory=dict)
    default_address_pools: Annotated[
        list[AddressPool],
        setting(
            "Networks from which the engine takes subnets for bridges, and the size of each subnet. "
            "Without them: the engine's own choice.",
            example=[{"base": "172.30.0.0/16", "size": 24}],
            allowed="tables of `base` and `size`",
        ),
    ] = field(default_factory=list)
    insecure_registries: Annotated[
        list[InsecureRegistry],
        setting(
            "Registries that may be reached over plain HTTP or with a certificate that cannot be verified.",
            example=["10.0.2.2:5000"],
            allowed="host names or IP addresses with an optional port, networks in CIDR notation",
        ),
    ] = field(default_factory=list)
    engine_options: Annotated[
        dict[Annotated[str, Check(_engine_option)], Free],
        setting(
            "Any other option of the engine's daemon.json, as it is there. The engine checks them before they "
            "are taken. Those that other settings or the image set are refused.",
            example={"debug": True, "features": {"buildkit": True}},
            allowed="options of Docker Engine's daemon.json, with the values that they have there",
        ),
    ] = field(default_factory=dict)
    remote: Annotated[
        Remote,
        setting(
            "The Docker API on the network.",
            example={"enabled": False},
            fallback="the Docker API opens no port",
            whole=True,
        ),
    ] = Remote()

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: log options are those of the log driver, and nothing is set twice."""
        driver, options = self.log_driver, self.log_opts
        unknown = sorted(option for option in options if not _known_option(driver, option))
        bad = sorted(option for option, value in options.items() if not _good_value(option, value))
        if unknown:
            names = ", ".join(ascii(name) for name in unknown)
            yield "log_opts", f"not options of the log driver {driver}: {names:.200}"
        elif bad:
            values = ", ".join(f"{name} = {options[name]!a}" for name in bad)
            yield "log_opts", f"bad values of options: {values:.200}"
        for option in self.engine_options:
            if (owner := OWNED_OPTIONS.get(option)) is not None:
                words = f"settings.{owner} is for that" if owner else "the image sets it, and it cannot be changed"
                yield ("engine_options", option), words
