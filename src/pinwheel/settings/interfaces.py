# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Network interfaces: Bottlerocket's net.toml, version 3, as settings, so that they can change at run time.

More than there: all modes of bonds, MTU, patterns of names, and dynamic and static addresses together.
"""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Meta, field

from pinwheel.settings.addresses import Dhcp4, Dhcp6, Route, Static4, Static6
from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import IpAddress, is_ipv4

BondMode = Literal["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}"
_PATTERN = r"[A-Za-z0-9*?][A-Za-z0-9._*?-]{0,14}"
_MAC = r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"


def is_mac(name: str) -> bool:
    """Say whether an interface is named by its MAC address."""
    return re.fullmatch(_MAC, name) is not None


def _interface_name(text: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise ValueError("not the name of a network interface (at most 15 letters, digits, '.', '-' and '_')")
    return text


def _matched_interface(text: str) -> str:
    if not re.fullmatch(_PATTERN, text) and not is_mac(text):
        raise ValueError("not the name of a network interface, a pattern such as en*, or a MAC address")
    return text


def _table_of_bool(value: object) -> object:
    return {"enabled": value} if isinstance(value, bool) else value


InterfaceName = Annotated[str, Check(_interface_name)]
MatchedInterface = Annotated[str, Check(_matched_interface)]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]


class Monitoring(Namespace, frozen=True):
    """How a bond finds out which links work: by their carrier (`miimon`), or by ARP requests (`arpmon`)."""

    miimon_frequency_ms: Annotated[
        Milliseconds,
        setting(
            "Time between two looks at the carrier of each link.",
            example=100,
            unit="milliseconds",
            allowed="0 (not at all) to 3600000",
        ),
    ] = 0
    miimon_updelay_ms: Annotated[
        Milliseconds,
        setting(
            "How long a link must be up before it is used.", example=200, unit="milliseconds", allowed="0 to 3600000"
        ),
    ] = 0
    miimon_downdelay_ms: Annotated[
        Milliseconds,
        setting(
            "How long a link may be down and still count.", example=200, unit="milliseconds", allowed="0 to 3600000"
        ),
    ] = 0
    arpmon_interval_ms: Annotated[
        Milliseconds,
        setting("Time between two ARP requests.", example=200, unit="milliseconds", allowed="0 (none) to 3600000"),
    ] = 0
    arpmon_validate: Annotated[
        Literal["none", "active", "backup", "all"],
        setting("The links whose answers are looked at closely.", example="all"),
    ] = "none"
    arpmon_targets: Annotated[
        list[IpAddress],
        Meta(max_length=16),
        setting("Who is asked.", example=["192.0.2.1"], allowed="1 to 16 IPv4 addresses"),
    ] = field(default_factory=list)

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: one way of monitoring, with all it needs."""
        if not self.miimon_frequency_ms and not self.arpmon_interval_ms:
            yield "", "needs miimon-frequency-ms or arpmon-interval-ms"
        if self.miimon_frequency_ms and self.arpmon_interval_ms:
            yield "", "miimon and arpmon exclude each other"
        if self.arpmon_interval_ms and not self.arpmon_targets:
            yield "", "arpmon-interval-ms needs arpmon-targets"
        if not all(map(is_ipv4, self.arpmon_targets)):
            yield "", "arpmon-targets must be IPv4 addresses"


_BOND_ONLY = ("mode", "interfaces", "min_links", "monitoring", "lacp_rate", "transmit_hash_policy")
_VLAN_ONLY = ("device", "id")
_WITH_ARP_MONITORING = frozenset({"balance-rr", "active-backup", "balance-xor", "broadcast"})


class Interface(Namespace, frozen=True):
    """One interface, or each that a pattern matches.

    Without any of `dhcp4`, `dhcp6`, `static4` and `static6` it asks for both kinds of addresses, as interfaces do that
    have no entry; members of bonds have no addresses.
    """

    primary: Annotated[
        bool,
        setting(
            "Whether the node goes by this interface's address, and a boot waits for no other. One interface may be; "
            "when none is, a boot waits for any.",
            example=True,
        ),
    ] = False
    dhcp4: Annotated[
        Annotated[Dhcp4, Check(_table_of_bool, accepts='{"type": "boolean"}')] | None,
        setting("IPv4 by DHCP: true, false, or a table.", example=True, allowed="true, false or a table"),
    ] = None
    dhcp6: Annotated[
        Annotated[Dhcp6, Check(_table_of_bool, accepts='{"type": "boolean"}')] | None,
        setting("IPv6 by DHCP: true, false, or a table.", example=True, allowed="true, false or a table"),
    ] = None
    static4: Annotated[
        Static4 | None,
        setting(
            "Addresses of IPv4 that are given.",
            example={"addresses": ["192.0.2.10/24"]},
            allowed="a table of `addresses`: IPv4 addresses with the length of their prefix",
        ),
    ] = None
    static6: Annotated[
        Static6 | None,
        setting(
            "Addresses of IPv6 that are given.",
            example={"addresses": ["2001:db8::10/64"]},
            allowed="a table of `addresses`: IPv6 addresses with the length of their prefix",
        ),
    ] = None
    route: Annotated[
        list[Route],
        setting(
            "Routes by this interface.",
            example=[{"to": "default", "via": "192.0.2.1"}],
            allowed="tables of `to`, `via`, `from` and `route-metric`",
        ),
    ] = field(default_factory=list)
    mtu: Annotated[
        Annotated[int, Meta(ge=68, le=65535)] | None,
        setting(
            "The largest packet. Without it: what the driver or DHCP says.",
            example=9000,
            unit="bytes",
            allowed="68 to 65535",
        ),
    ] = None
    kind: Annotated[
        Literal["bond", "vlan"] | None,
        setting("Set for an interface that is to be made: a bond of others, or a VLAN on another.", example="bond"),
    ] = None
    mode: Annotated[
        BondMode | None, setting("Of a bond: how its members share the traffic.", example="active-backup")
    ] = None
    interfaces: Annotated[
        list[InterfaceName],
        setting("Of a bond: its members.", example=["eth0", "eth1"], allowed="names of interfaces; no patterns"),
    ] = field(default_factory=list)
    min_links: Annotated[
        Annotated[int, Meta(ge=1, le=64)] | None,
        setting("Of a bond: how many members must be up for it to be up.", example=1, allowed="1 to 64"),
    ] = None
    monitoring: Annotated[
        Monitoring | None,
        setting(
            "Of a bond: how it finds out which links work. Without it: their carrier is looked at every 100 ms.",
            example={"miimon-frequency-ms": 100},
        ),
    ] = None
    lacp_rate: Annotated[
        Literal["slow", "fast"] | None,
        setting("Of a bond of mode 802.3ad: how often the switch is to send (30 s or 1 s).", example="fast"),
    ] = None
    transmit_hash_policy: Annotated[
        Literal["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"] | None,
        setting("Of a bond: what decides which member a packet takes.", example="layer3+4"),
    ] = None
    device: Annotated[
        InterfaceName | None,
        setting("Of a VLAN: the interface it is on.", example="eth0", allowed="the name of an interface; no pattern"),
    ] = None
    id: Annotated[
        Annotated[int, Meta(ge=0, le=4094)] | None,
        setting("Of a VLAN: its number.", example=42, allowed="0 to 4094"),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: what belongs to which kind, and what each needs."""
        if self.kind != "bond" and (of_bonds := self._given(_BOND_ONLY)):
            yield "", f'{of_bonds} needs kind = "bond"'
        if self.kind != "vlan" and (of_vlans := self._given(_VLAN_ONLY)):
            yield "", f'{of_vlans} needs kind = "vlan"'
        if self.kind == "vlan" and (self.device is None or self.id is None):
            yield "", "a VLAN needs device and id"
        if self.kind == "bond":
            yield from self._bond_conflicts()

    def _bond_conflicts(self) -> Iterator[Conflict]:
        if self.mode is None or not self.interfaces:
            yield "", "a bond needs mode and interfaces"
        if len(set(self.interfaces)) < max(len(self.interfaces), self.min_links or 0):
            yield "", "interfaces names one twice, or fewer than min-links"
        if self.lacp_rate and self.mode != "802.3ad":
            yield "", "lacp-rate needs mode 802.3ad"
        if self.monitoring and self.monitoring.arpmon_interval_ms and self.mode not in _WITH_ARP_MONITORING:
            yield "", f"mode {self.mode} needs miimon, not arpmon"

    def _given(self, names: tuple[str, ...]) -> str:
        return ", ".join(name.replace("_", "-") for name in names if getattr(self, name) not in (None, []))

    @property
    def has_address_settings(self) -> bool:
        """Whether it says anything of addresses; else it asks for both kinds."""
        return any(value is not None for value in (self.dhcp4, self.dhcp6, self.static4, self.static6))


def interface_conflicts(interfaces: Mapping[str, Interface]) -> Iterator[tuple[str, str]]:
    """Give the name of each interface that cannot be beside the others, and the words that say why."""
    primaries = sorted(name for name, interface in interfaces.items() if interface.primary)
    yield from ((name, f"{primaries[0]} is primary already") for name in primaries[1:])
    bond_of: dict[str, str] = {}
    for name, interface in sorted(interfaces.items()):
        if interface.kind and not re.fullmatch(_NAME, name):
            yield name, f"a {interface.kind} needs a name, not a pattern or an address"
        if interface.device == name or name in interface.interfaces:
            yield name, "it is made of itself"
        for member in interface.interfaces:
            if member in bond_of:
                yield name, f"{member} is a member of {bond_of[member]} already"
            bond_of.setdefault(member, name)
    for member, bond in bond_of.items():
        if member in interfaces and (interfaces[member].has_address_settings or interfaces[member].route):
            yield member, f"as a member of {bond} it can have no address and no route"
