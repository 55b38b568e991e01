# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of the machine itself: its name, its proxies, its clock, its kernel. Names are Bottlerocket's."""

from typing import Annotated

from msgspec import field

from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.types import Host, HostName, NoProxy, ProxyUrl, SysctlKey, SysctlValue


class Network(Namespace, frozen=True):
    """The node's name and the proxies on its way out."""

    hostname: Annotated[
        HostName | None,
        setting(
            "The node's host name. Without it the node keeps the name that the image or DHCP gives.",
            example="node-1.example.com",
            allowed="lower-case letters, digits, `-` and `.`; at most 64 characters",
        ),
    ] = None
    http_proxy: Annotated[
        ProxyUrl | None,
        setting(
            "The proxy through which the engine fetches plain HTTP. Kept secret, because it may hold a password.",
            example="http://proxy.example.com:3128",
            allowed="an HTTP or HTTPS address",
        ),
    ] = None
    https_proxy: Annotated[
        ProxyUrl | None,
        setting(
            "The proxy through which the engine fetches HTTPS. Kept secret, because it may hold a password.",
            example="http://proxy.example.com:3128",
            allowed="an HTTP or HTTPS address",
        ),
    ] = None
    no_proxy: Annotated[
        list[NoProxy],
        setting(
            "What is reached without a proxy. The node itself always is.",
            example=["10.0.0.0/8", "registry.example.com"],
            allowed="host names, domains, IP addresses, networks in CIDR notation",
        ),
    ] = field(default_factory=list)


class Ntp(Namespace, frozen=True):
    """Where the node takes the time from."""

    time_servers: Annotated[
        list[Host],
        setting(
            "NTP servers, tried in this order. Without them: those that DHCP names, else the Debian pool.",
            example=["ntp1.example.com", "192.0.2.1"],
            allowed="host names and IP addresses",
        ),
    ] = field(default_factory=list)


class Kernel(Namespace, frozen=True):
    """The running kernel's parameters."""

    sysctl: Annotated[
        dict[SysctlKey, SysctlValue],
        setting(
            "Kernel parameters by name. A parameter that the kernel refuses is reported and left as it was.",
            example={"vm.max_map_count": "262144"},
            allowed="any name below `/proc/sys`; values are texts of one line, or whole numbers",
            fallback="the kernel keeps its value",
        ),
    ] = field(default_factory=dict)
