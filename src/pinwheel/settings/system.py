# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of the machine itself: its network, its clock, its kernel, its memory. Names are Bottlerocket's."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field

from pinwheel.settings.interfaces import Interface, MatchedInterface, interface_conflicts
from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import (
    Domain,
    Host,
    HostName,
    IpAddress,
    ModuleName,
    NoProxy,
    ProxyUrl,
    Size,
    SysctlKey,
    SysctlValue,
)


class HostsEntry(Namespace, frozen=True, array_like=True):
    """A line of /etc/hosts: written as a list of the address and the list of names."""

    address: Annotated[IpAddress, setting("The address.", example="192.0.2.10", allowed="an IP address")]
    names: Annotated[
        list[Domain],
        Meta(min_length=1),
        setting("The names that it has here.", example=["db.example.com", "db"], allowed="host names"),
    ]


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
    hosts: Annotated[
        list[HostsEntry],
        setting(
            "Names that the node itself knows, beside those of DNS: lines of its /etc/hosts.",
            example=[["192.0.2.10", ["db.example.com", "db"]]],
            allowed="lists of an IP address and a list of host names",
        ),
    ] = field(default_factory=list)
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
    interfaces: Annotated[
        dict[MatchedInterface, Interface],
        setting(
            "Network interfaces by name, pattern or MAC address. Those without an entry ask for addresses by DHCP.",
            example={"eth0": {"dhcp4": True}},
            allowed="a name, a pattern such as `en*`, or a MAC address",
            fallback="the interface asks for its addresses by DHCP",
        ),
    ] = field(default_factory=dict)

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: interfaces that exclude each other."""
        for name, words in interface_conflicts(self.interfaces):
            yield ("interfaces", name), words


class Dns(Namespace, frozen=True):
    """How names are looked up."""

    name_servers: Annotated[
        list[IpAddress],
        setting(
            "DNS servers, in the place of those that DHCP names.",
            example=["192.0.2.53", "2001:db8::53"],
            allowed="IP addresses",
        ),
    ] = field(default_factory=list)
    search_list: Annotated[
        list[Domain],
        setting(
            "Domains in which names without a dot are looked up, in the place of those that DHCP names.",
            example=["example.com"],
            allowed="domains",
        ),
    ] = field(default_factory=list)


def _ntp_option(text: str) -> str:
    if not re.fullmatch(r"iburst|(?:min|max)poll (?:[4-9]|1[0-7])", text):
        raise ValueError("not iburst, minpoll or maxpoll with a number from 4 to 17")
    return text


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
    options: Annotated[
        list[Annotated[str, Check(_ntp_option)]],
        setting(
            "How servers are asked, in chrony's words: `minpoll` and `maxpoll` bound the time between two questions, "
            "in powers of two of a second; `iburst`, asking at once, is what the node does anyway.",
            example=["iburst", "minpoll 6", "maxpoll 10"],
            allowed="`iburst`, `minpoll` and `maxpoll` with a number from 4 to 17",
        ),
    ] = field(default_factory=list)

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: the bounds must be in order."""
        least, most = self.poll_seconds
        if least and most and least > most:
            yield "options", "minpoll is above maxpoll"

    @property
    def poll_seconds(self) -> tuple[int | None, int | None]:
        """The least and the most seconds between two questions; None where not given."""
        given = dict(option.split(" ") for option in self.options if " " in option)
        least, most = (given.get(name) for name in ("minpoll", "maxpoll"))
        return (2 ** int(least) if least else None), (2 ** int(most) if most else None)


class Module(Namespace, frozen=True):
    """A kernel module."""

    allowed: Annotated[
        bool,
        setting("Whether it may be loaded. One that is loaded already stays until the next boot.", example=False),
    ] = True
    autoload: Annotated[
        bool, setting("Whether it is loaded at boot, and now. Without effect where it is not allowed.", example=True)
    ] = False


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
    modules: Annotated[
        dict[ModuleName, Module],
        setting(
            "Kernel modules by name.",
            example={"sctp": {"allowed": False}},
            allowed="names of modules: letters, digits, `_` and `-`, at most 56 characters",
        ),
    ] = field(default_factory=dict)
    lockdown: Annotated[
        Literal["integrity", "confidentiality"],
        setting(
            "What even root cannot do: change the running kernel (`integrity`), or read its memory either "
            "(`confidentiality`). It is raised at once; lowering it takes effect at the next boot.",
            example="confidentiality",
        ),
    ] = "integrity"


class ZramSwap(Namespace, frozen=True):
    """Swap space in compressed memory."""

    enabled: Annotated[bool, setting("Whether there is any.", example=True)] = False
    size: Annotated[
        Size,
        setting(
            "How much is swapped out at most, before compression.",
            example="1G",
            unit="bytes, or percent of the machine's memory",
            allowed="`1%` to `100%`, or a whole number followed by `K`, `M` or `G` (powers of 1024)",
        ),
    ] = "50%"


class Memory(Namespace, frozen=True):
    """How the machine's memory is shared out."""

    zram_swap: Annotated[ZramSwap, setting("Swap space in compressed memory.", example={})] = ZramSwap()
    reserved: Annotated[
        Size | None,
        setting(
            "Memory that the workload's containers together leave to the system. Without it, they may take all.",
            example="256M",
            unit="bytes, or percent of the machine's memory",
            allowed="`1%` to `100%`, or a whole number followed by `K`, `M` or `G` (powers of 1024)",
        ),
    ] = None
