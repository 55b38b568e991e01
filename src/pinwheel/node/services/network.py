# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Network interfaces: the files of systemd-networkd (systemd.network(5), systemd.netdev(5), systemd.link(5)).

networkd takes the first file that matches an interface, in the order of their names. So names come before addresses,
and these before patterns, the longer ones first; the image's own file, which has every wired interface ask for
addresses, comes last.
"""

import zlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from pinwheel.node.files import RenderedFile
from pinwheel.node.kernel_values import change
from pinwheel.node.links import delete_link
from pinwheel.node.paths import INTERFACES, NETWORKS, Paths
from pinwheel.node.serialize import unit_file
from pinwheel.node.services.service import Files
from pinwheel.settings.addresses import Route
from pinwheel.settings.interfaces import Interface, Monitoring, is_mac
from pinwheel.settings.problem import Problem, path_text
from pinwheel.settings.system import Dns
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import is_ipv4

Section = tuple[str, list[tuple[str, str]]]

IMAGE_FILE = "80-dhcp.network"
"""The image's own file."""
_WITHOUT_WILDCARDS = str.maketrans({"*": "+", "?": "=", ":": "-"})
"""In the names of files; no interface has these letters in its name."""
_MAX_NAME = 15


def render(settings: Settings) -> Files:
    """Give networkd's files."""
    interfaces = with_parents(settings.network.interfaces)
    some_primary = any(interface.primary for interface in interfaces.values())
    files: dict[str, list[Section]] = {}
    for name, interface in interfaces.items():
        required = interface.primary or not some_primary
        files[f"{_rank(name)}-{name.translate(_WITHOUT_WILDCARDS)}.network"] = [
            *_network(name, interface, interfaces, required=required),
            *_dns(settings.dns),
        ]
        if interface.kind:
            files |= _device(name, interface)
    image = [*([("Link", [("RequiredForOnline", "no")])] if some_primary else []), *_dns(settings.dns)]
    if image:
        files[f"{IMAGE_FILE}.d/10-pinwheel.conf"] = image
    return {f"{NETWORKS}{name}": RenderedFile(unit_file(sections)) for name, sections in files.items()}


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Remove what networkd made and is to make no longer, or not in the same way; put sizes of packets back."""
    problems = _sizes_set(paths, old, new)
    for name, digest in _digests(old.network.interfaces).items():
        if _digests(new.network.interfaces).get(name) == digest:
            continue
        try:
            delete_link(name)
        except OSError as error:
            path = path_text(("settings", "network", "interfaces", name))
            problems.append(Problem("interface-stays", path, 0, str(error), "it is gone after the next boot"))
    return problems


def _sizes_set(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Set the sizes of packets as networkd would: it leaves them when their setting goes, here they are put back."""
    before, after = (_sizes(paths, one.network.interfaces) for one in (old, new))
    refused = change(paths, *({file: value for file, (_, value) in sizes.items()} for sizes in (before, after)))
    wanted = {**before, **after}
    return [
        Problem(
            "kernel-refused",
            path_text(("settings", "network", "interfaces", wanted[file][0], "mtu")),
            0,
            words,
            "the interface keeps its size",
        )
        for file, words in refused.items()
    ]


def _sizes(paths: Paths, interfaces: Mapping[str, Interface]) -> dict[str, tuple[str, str]]:
    """Give for the file of each size that is set the entry's name and the size, of cards that the machine has."""
    cards = [card.parent for card in sorted(paths.at(INTERFACES).glob("*/device"))]
    ordered = sorted((name for name, entry in interfaces.items() if not entry.kind), key=_rank)
    found: dict[str, tuple[str, str]] = {}
    for card in cards:
        address = paths.text(f"{INTERFACES}/{card.name}/address")
        entry = next((name for name in ordered if fnmatchcase(card.name, name) or name.lower() == address), None)
        if entry and interfaces[entry].mtu:
            found[f"{INTERFACES}/{card.name}/mtu"] = (entry, str(interfaces[entry].mtu))
    return found


def _digests(interfaces: Mapping[str, Interface]) -> dict[str, str]:
    """Give for each interface that networkd is to make a word that stands for how."""
    made = {
        name: unit_file(_made(name, entry)) + f"{entry.device} {entry.mtu}".encode()
        for name, entry in interfaces.items()
        if entry.kind
    }
    return {name: f"{zlib.crc32(content):08x}" for name, content in made.items()}


def with_parents(interfaces: Mapping[str, Interface]) -> dict[str, Interface]:
    """Add an entry for each interface that others are made of and that has none of its own.

    Its file is found before that of a pattern, so it is made from the pattern's entry.
    """
    needed = {name for entry in interfaces.values() for name in (*entry.interfaces, entry.device) if name}
    added = {name: _by_pattern(name, interfaces) for name in sorted(needed - set(interfaces))}
    return {**interfaces, **added}


def _by_pattern(name: str, interfaces: Mapping[str, Interface]) -> Interface:
    patterns = sorted((pattern for pattern in interfaces if _is_pattern(pattern)), key=_rank)
    return next((interfaces[pattern] for pattern in patterns if fnmatchcase(name, pattern)), Interface())


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name


def _rank(name: str) -> str:
    """Give the beginning of a file's name, by which they are ordered."""
    if _is_pattern(name):
        return f"{40 + _MAX_NAME - len(name.replace('*', '').replace('?', ''))}"
    return "30" if is_mac(name) else "20"


def _network(
    name: str, interface: Interface, interfaces: Mapping[str, Interface], *, required: bool
) -> Iterator[Section]:
    bond = next((other for other, entry in interfaces.items() if name in entry.interfaces), None)
    vlans = [other for other, entry in interfaces.items() if entry.device == name]
    yield "Match", _match(name)
    yield "Link", _link(interface, required=required and bond is None)
    # What is made anew needs its parts anew: networkd looks again at those whose file has changed.
    digests = _digests({other: interfaces[other] for other in (bond, *vlans) if other})
    on_it = [("VLAN", vlan) for vlan in vlans]
    on_it += (
        [("Description", " ".join(f"for {other} {digest}" for other, digest in digests.items()))] if digests else []
    )
    if bond:
        yield "Network", [("Bond", bond), *on_it, ("LinkLocalAddressing", "no")]
        return
    yield "Network", [*_addresses(interface), *on_it, *_COMMON]
    yield from (("Route", _route(route)) for route in interface.route)
    metric = interface.dhcp4.route_metric if interface.dhcp4 else None
    yield "DHCPv4", [("UseDomains", "yes"), *([("RouteMetric", str(metric))] if metric is not None else [])]
    yield "DHCPv6", [("UseDomains", "yes")]


_COMMON = [("LLMNR", "no"), ("MulticastDNS", "no"), ("LinkLocalAddressing", "ipv6")]


def _match(name: str) -> list[tuple[str, str]]:
    if is_mac(name):  # not what others are made of, and got their address from
        return [("PermanentMACAddress", name.lower()), ("Kind", "!*")]
    # A pattern is for what the machine has, not for what the engine or an entry of its own makes.
    return [("Name", name), *([("Type", "ether"), ("Kind", "!*")] if _is_pattern(name) else [])]


def _link(interface: Interface, *, required: bool) -> list[tuple[str, str]]:
    mtu = [("MTUBytes", str(interface.mtu))] if interface.mtu else []
    families = _awaited(interface)
    if not required or not families:
        return [*mtu, ("RequiredForOnline", "no")]
    return [*mtu, ("RequiredForOnline", "routable"), ("RequiredFamilyForOnline", families)]


def _awaited(interface: Interface) -> str:
    """Give the families of addresses that a boot waits for, in networkd's words; empty for none."""
    if not interface.has_address_settings:
        return "any"
    ipv4 = interface.static4 or (interface.dhcp4 and interface.dhcp4.enabled and not interface.dhcp4.optional)
    ipv6 = interface.static6 or (interface.dhcp6 and interface.dhcp6.enabled and not interface.dhcp6.optional)
    return ("both" if ipv6 else "ipv4") if ipv4 else "ipv6" if ipv6 else ""


def _addresses(interface: Interface) -> Iterator[tuple[str, str]]:
    if not interface.has_address_settings:
        yield "DHCP", "yes"
        return
    ipv4 = interface.dhcp4 is not None and interface.dhcp4.enabled
    ipv6 = interface.dhcp6 is not None and interface.dhcp6.enabled
    yield "DHCP", {(True, True): "yes", (True, False): "ipv4", (False, True): "ipv6"}.get((ipv4, ipv6), "no")
    yield "IPv6AcceptRA", "yes" if ipv6 else "no"  # DHCPv6 has no routes: they come by router advertisements
    for static in (interface.static4, interface.static6):
        yield from (("Address", address) for address in (static.addresses if static else ()))


def _route(route: Route) -> list[tuple[str, str]]:
    ipv4 = is_ipv4(route.via or route.from_ or "0.0.0.0")  # noqa: S104 - stands for IPv4, listens nowhere
    default = "0.0.0.0/0" if ipv4 else "::/0"
    given = {
        "Destination": default if route.to == "default" else route.to,
        "Gateway": route.via,
        "PreferredSource": route.from_,
        "Metric": None if route.route_metric is None else str(route.route_metric),
    }
    return [(key, value) for key, value in given.items() if value is not None]


def _dns(dns: Dns) -> list[Section]:
    """Have what settings say stand in the place of what DHCP and routers say, of whatever they say it."""
    off = [("UseDNS", "no")] if dns.name_servers else []
    off += [("UseDomains", "no")] if dns.search_list else []
    return [(section, list(off)) for section in ("DHCPv4", "DHCPv6", "IPv6AcceptRA")] if off else []


def _device(name: str, interface: Interface) -> dict[str, list[Section]]:
    """Give the files of an interface that networkd is to make."""
    files = {f"10-{name}.netdev": _made(name, interface)}
    if interface.kind == "bond":
        # Its address is that of its first member, as a switch and a DHCP server expect: udev would make one up.
        files[f"10-{name}.link"] = [("Match", [("OriginalName", name)]), ("Link", [("MACAddressPolicy", "none")])]
    return files


def _made(name: str, interface: Interface) -> list[Section]:
    if interface.kind == "vlan":
        return [("NetDev", [("Name", name), ("Kind", "vlan")]), ("VLAN", [("Id", str(interface.id))])]
    device = [("Name", name), ("Kind", "bond"), ("MACAddress", "none")]
    return [("NetDev", device), ("Bond", list(_bond(interface)))]


def _bond(bond: Interface) -> Iterator[tuple[str, str]]:
    yield "Mode", str(bond.mode)
    given = {
        "MinLinks": bond.min_links,
        "LACPTransmitRate": bond.lacp_rate,
        "TransmitHashPolicy": bond.transmit_hash_policy,
    }
    yield from ((key, str(value)) for key, value in given.items() if value is not None)
    yield from _monitoring(bond.monitoring or Monitoring(miimon_frequency_ms=100))


def _monitoring(monitoring: Monitoring) -> Iterator[tuple[str, str]]:
    times = {
        "MIIMonitorSec": monitoring.miimon_frequency_ms,
        "UpDelaySec": monitoring.miimon_updelay_ms,
        "DownDelaySec": monitoring.miimon_downdelay_ms,
        "ARPIntervalSec": monitoring.arpmon_interval_ms,
    }
    yield from ((key, f"{value}ms") for key, value in times.items() if value)
    if monitoring.arpmon_interval_ms:
        yield "ARPValidate", monitoring.arpmon_validate
        yield "ARPIPTargets", " ".join(monitoring.arpmon_targets)
