# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Interfaces as networkd is told of them."""

from typing import Any

import pytest
from tests.support.systemd_files import sections, values

from pinwheel.node.paths import NETWORKS
from pinwheel.node.services.network import render
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

COMMON = [("LLMNR", "no"), ("MulticastDNS", "no"), ("LinkLocalAddressing", "ipv6")]


def files(interfaces: dict[str, Any], dns: dict[str, Any] | None = None) -> dict[str, bytes]:
    settings, mistakes = read(Settings, {"network": {"interfaces": interfaces}, "dns": dns or {}})
    assert not mistakes
    return {path.removeprefix(NETWORKS): file.content for path, file in render(settings).items()}


def test_interface_with_static_addresses_and_routes():
    written = files(
        {
            "eth0": {
                "static4": {"addresses": ["192.0.2.10/24", "192.0.2.11/24"]},
                "static6": {"addresses": ["2001:db8::10/64"]},
                "route": [
                    {"to": "default", "via": "192.0.2.1", "route-metric": 0},
                    {"to": "10.0.0.0/8", "via": "192.0.2.2", "from": "192.0.2.10"},
                    {"to": "default", "from": "2001:db8::10", "via": "2001:db8::1"},
                ],
                "mtu": 9000,
            }
        }
    )
    assert list(written) == ["20-eth0.network"]
    assert sections(written["20-eth0.network"]) == [
        ("Match", [("Name", "eth0")]),
        ("Link", [("MTUBytes", "9000"), ("RequiredForOnline", "routable"), ("RequiredFamilyForOnline", "both")]),
        (
            "Network",
            [
                ("DHCP", "no"),
                ("IPv6AcceptRA", "no"),
                ("Address", "192.0.2.10/24"),
                ("Address", "192.0.2.11/24"),
                ("Address", "2001:db8::10/64"),
                *COMMON,
            ],
        ),
        ("Route", [("Destination", "0.0.0.0/0"), ("Gateway", "192.0.2.1"), ("Metric", "0")]),
        ("Route", [("Destination", "10.0.0.0/8"), ("Gateway", "192.0.2.2"), ("PreferredSource", "192.0.2.10")]),
        ("Route", [("Destination", "::/0"), ("Gateway", "2001:db8::1"), ("PreferredSource", "2001:db8::10")]),
        ("DHCPv4", [("UseDomains", "yes")]),
        ("DHCPv6", [("UseDomains", "yes")]),
    ]


@pytest.mark.parametrize(
    ("entry", "dhcp", "families"),
    [
        ({}, "yes", ["any"]),
        ({"mtu": 1400}, "yes", ["any"]),
        ({"dhcp4": True}, "ipv4", ["ipv4"]),
        ({"dhcp6": True}, "ipv6", ["ipv6"]),
        ({"dhcp4": True, "dhcp6": True}, "yes", ["both"]),
        ({"dhcp4": True, "dhcp6": {"optional": True}}, "yes", ["ipv4"]),
        ({"dhcp4": {"optional": True}}, "ipv4", []),
        ({"dhcp4": False}, "no", []),
        ({"dhcp4": True, "static6": {"addresses": ["fd00::1/8"]}}, "ipv4", ["both"]),
    ],
)
def test_families_that_are_asked_for_and_waited_for(entry, dhcp, families):
    content = files({"eth0": entry})["20-eth0.network"]
    assert values(content, "Network", "DHCP") == [dhcp]
    assert values(content, "Link", "RequiredFamilyForOnline") == families
    assert values(content, "Link", "RequiredForOnline") == ["routable" if families else "no"]


def test_metric_of_dhcp_routes():
    content = files({"eth0": {"dhcp4": {"route-metric": 200}}})["20-eth0.network"]
    assert values(content, "DHCPv4", "RouteMetric") == ["200"]


def test_names_come_before_addresses_and_these_before_patterns_longer_ones_first():
    names = ["e*", "enp1s*", "*", "AA:bb:cc:dd:ee:ff", "enp1s0", "en?"]
    written = files({name: {"dhcp4": True} for name in names})
    assert sorted([*written, "80-dhcp.network"]) == [
        "20-enp1s0.network",
        "30-AA-bb-cc-dd-ee-ff.network",
        "50-enp1s+.network",
        "53-en=.network",
        "54-e+.network",
        "55-+.network",
        "80-dhcp.network",
    ]
    assert sections(written["30-AA-bb-cc-dd-ee-ff.network"])[0] == (
        "Match",
        [("PermanentMACAddress", "aa:bb:cc:dd:ee:ff"), ("Kind", "!*")],
    )
    assert sections(written["54-e+.network"])[0] == ("Match", [("Name", "e*"), ("Type", "ether"), ("Kind", "!*")])


def test_bond_has_its_members_and_their_address():
    written = files({"bond0": {"kind": "bond", "mode": "802.3ad", "interfaces": ["eth0", "eth1"], "dhcp4": True,
                               "min-links": 1, "lacp-rate": "fast", "transmit-hash-policy": "layer3+4"}})  # fmt: skip
    assert set(written) == {
        "10-bond0.link",
        "10-bond0.netdev",
        "20-bond0.network",
        "20-eth0.network",
        "20-eth1.network",
    }
    assert sections(written["10-bond0.netdev"]) == [
        ("NetDev", [("Name", "bond0"), ("Kind", "bond"), ("MACAddress", "none")]),
        (
            "Bond",
            [
                ("Mode", "802.3ad"),
                ("MinLinks", "1"),
                ("LACPTransmitRate", "fast"),
                ("TransmitHashPolicy", "layer3+4"),
                ("MIIMonitorSec", "100ms"),
            ],
        ),
    ]
    assert values(written["10-bond0.link"], "Link", "MACAddressPolicy") == ["none"]
    assert values(written["20-eth0.network"], "Network", "Bond") == ["bond0"]
    assert values(written["20-eth0.network"], "Link", "RequiredForOnline") == ["no"]
    assert values(written["20-eth0.network"], "Network", "DHCP") == []
    assert values(written["20-bond0.network"], "Network", "DHCP") == ["ipv4"]


@pytest.mark.parametrize(
    ("monitoring", "expected"),
    [
        (
            {"miimon-frequency-ms": 50, "miimon-updelay-ms": 200, "miimon-downdelay-ms": 100},
            [("MIIMonitorSec", "50ms"), ("UpDelaySec", "200ms"), ("DownDelaySec", "100ms")],
        ),
        (
            {"arpmon-interval-ms": 200, "arpmon-validate": "all", "arpmon-targets": ["192.0.2.1", "192.0.2.2"]},
            [("ARPIntervalSec", "200ms"), ("ARPValidate", "all"), ("ARPIPTargets", "192.0.2.1 192.0.2.2")],
        ),
    ],
)
def test_bond_is_monitored_as_it_is_told(monitoring, expected):
    bond = {"kind": "bond", "mode": "active-backup", "interfaces": ["eth0"], "monitoring": monitoring}
    written = files({"bond0": bond})
    assert sections(written["10-bond0.netdev"])[1] == ("Bond", [("Mode", "active-backup"), *expected])


def test_vlan_is_on_its_device_whose_own_settings_stay():
    written = files(
        {
            "en*": {"static4": {"addresses": ["192.0.2.10/24"]}},
            "vlan7": {"kind": "vlan", "device": "enp1s0", "id": 7, "dhcp4": True},
        }
    )
    assert sections(written["10-vlan7.netdev"]) == [
        ("NetDev", [("Name", "vlan7"), ("Kind", "vlan")]),
        ("VLAN", [("Id", "7")]),
    ]
    assert values(written["20-enp1s0.network"], "Network", "VLAN") == ["vlan7"]
    assert values(written["20-enp1s0.network"], "Network", "Address") == ["192.0.2.10/24"]


def test_file_of_a_member_changes_when_what_it_is_part_of_is_made_anew():
    def member(mode: str) -> bytes:
        return files({"bond0": {"kind": "bond", "mode": mode, "interfaces": ["eth0"]}})["20-eth0.network"]

    assert member("active-backup") == member("active-backup")
    assert member("active-backup") != member("balance-rr")


def test_only_the_primary_interface_is_waited_for():
    written = files({"eth0": {"dhcp4": True}, "eth1": {"dhcp4": True, "primary": True}})
    assert values(written["20-eth0.network"], "Link", "RequiredForOnline") == ["no"]
    assert values(written["20-eth1.network"], "Link", "RequiredForOnline") == ["routable"]
    assert values(written["80-dhcp.network.d/10-pinwheel.conf"], "Link", "RequiredForOnline") == ["no"]


def test_servers_and_domains_of_the_settings_stand_in_the_place_of_those_of_dhcp():
    written = files({"eth0": {"dhcp4": True}}, {"name-servers": ["192.0.2.53"]})
    for name in ("20-eth0.network", "80-dhcp.network.d/10-pinwheel.conf"):
        for section in ("DHCPv4", "DHCPv6", "IPv6AcceptRA"):
            assert values(written[name], section, "UseDNS") == ["no"]
    assert values(written["20-eth0.network"], "DHCPv4", "UseDomains") == ["yes"]
    (drop_in,) = files({}, {"search-list": ["example.com"]}).values()
    assert values(drop_in, "DHCPv4", "UseDomains") == ["no"]
    assert values(drop_in, "DHCPv4", "UseDNS") == []


def test_nothing_is_said_of_a_network_without_settings():
    assert files({}) == {}
