# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Network interfaces as users write them: what goes together, what does not, and what falls then."""

import pytest

from pinwheel.settings.addresses import Dhcp4, Dhcp6
from pinwheel.settings.interfaces import Interface
from pinwheel.settings.system import HostsEntry
from pinwheel.settings.user_data import parse_user_data

NET_TOML = """
[settings.network.interfaces.eno1]
primary = true
dhcp4 = { enabled = true, optional = false, route-metric = 100 }
dhcp6 = false
mtu = 9000

[settings.network.interfaces."0e:b1:15:c0:5a:9f".static4]
addresses = ["192.0.2.10/24"]

[[settings.network.interfaces."0e:b1:15:c0:5a:9f".route]]
to = "10.0.0.0/8"
via = "192.0.2.1"
from = "192.0.2.10"

[settings.network.interfaces.bond0]
kind = "bond"
mode = "802.3ad"
interfaces = ["eno11", "eno12"]
min-links = 1
lacp-rate = "fast"
transmit-hash-policy = "layer3+4"
[settings.network.interfaces.bond0.monitoring]
miimon-frequency-ms = 100
miimon-updelay-ms = 200
miimon-downdelay-ms = 200

[settings.network.interfaces.eno11]
mtu = 9000

[settings.network.interfaces.vlan42]
kind = "vlan"
device = "bond0"
id = 42
static6.addresses = ["2001:db8::10/64"]

[settings.network.interfaces."en*"]
dhcp4.optional = true
"""


def read(interfaces: str) -> tuple[dict[str, Interface], list[str]]:
    settings, problems = parse_user_data(f"settings.network.interfaces = {{ {interfaces} }}")
    return settings.network.interfaces, [problem.message for problem in problems]


def test_documents_like_net_toml_are_taken():
    settings, problems = parse_user_data(NET_TOML)
    assert problems == []
    interfaces = settings.network.interfaces
    assert interfaces["eno1"].dhcp4 == Dhcp4(route_metric=100)
    assert interfaces["eno1"].dhcp6 == Dhcp6(enabled=False)
    assert interfaces["en*"].dhcp4 == Dhcp4(optional=True)
    assert interfaces["0e:b1:15:c0:5a:9f"].route[0].from_ == "192.0.2.10"
    assert interfaces["vlan42"].has_address_settings
    assert not interfaces["bond0"].has_address_settings


@pytest.mark.parametrize(
    ("interface", "words"),
    [
        ('kind = "bond"', "a bond needs mode and interfaces"),
        ('kind = "vlan", id = 1', "a VLAN needs device and id"),
        ("id = 1", 'id needs kind = "vlan"'),
        ('mode = "802.3ad", min-links = 1', 'mode, min-links needs kind = "bond"'),
        ('kind = "bond", mode = "broadcast", interfaces = ["a", "a"]', "interfaces names one twice"),
        ('kind = "bond", mode = "broadcast", interfaces = ["a"], min-links = 2', "fewer than min-links"),
        ('kind = "bond", mode = "broadcast", interfaces = ["a"], lacp-rate = "fast"', "needs mode 802.3ad"),
        ('kind = "bond", mode = "broadcast", interfaces = ["a"], monitoring = {}', "needs miimon-frequency-ms or"),
        ("mtu = 1", "must be a whole number from 68 to 65535, not 1"),
        ("dhcp4 = 1", "must be a table"),
        ("static4 = {}", '"addresses" is missing'),
        ('static4.addresses = ["192.0.2.10"]', "not an IPv4 address with the length of its prefix"),
        ('static6.addresses = ["2001:db8::/129"]', "not an IPv6 address with the length of its prefix"),
        ('static6.addresses = ["20::01::/64"]', "not an IPv6 address with the length of its prefix"),
        ('route = [{ to = "default" }]', 'to = "default" needs via'),
        ('route = [{ to = "10.0.0.0/8", via = "2001:db8::1" }]', "mix IPv4 and IPv6"),
        ('route = [{ to = "everywhere" }]', 'not "default", nor a network'),
    ],
)
def test_what_does_not_go_together_costs_the_interface_alone(interface, words):
    interfaces, messages = read(f"bad = {{ {interface} }}, good = {{ mtu = 1500 }}")
    assert list(interfaces) == ["good"]
    assert len(messages) == 1
    assert words in messages[0]


ARP = "monitoring = { arpmon-interval-ms = 9, arpmon-targets = ['192.0.2.1'] }"


def test_arp_monitoring_is_for_modes_that_have_it():
    bond = f"kind = 'bond', interfaces = ['a', 'b'], {ARP}"
    assert read(f"bond0 = {{ mode = 'active-backup', {bond} }}")[1] == []
    assert read(f"bond0 = {{ mode = '802.3ad', {bond} }}")[1] == ["mode 802.3ad needs miimon, not arpmon"]


@pytest.mark.parametrize(
    ("monitoring", "words"),
    [
        ("miimon-frequency-ms = 1, arpmon-interval-ms = 1, arpmon-targets = ['192.0.2.1']", "exclude each other"),
        ("arpmon-interval-ms = 1", "needs arpmon-targets"),
        ("arpmon-interval-ms = 1, arpmon-targets = ['2001:db8::1']", "must be IPv4 addresses"),
    ],
)
def test_monitoring_is_one_way_with_all_it_needs(monitoring, words):
    bond = f"kind = 'bond', mode = 'active-backup', interfaces = ['a'], monitoring = {{ {monitoring} }}"
    assert words in read(f"b = {{ {bond} }}")[1][0]


@pytest.mark.parametrize(
    ("interfaces", "left", "words"),
    [
        ("a = { primary = true }, b = { primary = true }", ["a"], "a is primary already"),
        ("'en*' = { kind = 'vlan', device = 'a', id = 1 }", [], "needs a name"),
        ("'0e:b1:15:c0:5a:9f' = { kind = 'vlan', device = 'a', id = 1 }", [], "needs a name"),
        ("a = { kind = 'vlan', device = 'a', id = 1 }", [], "made of itself"),
        (
            "b = { kind = 'bond', mode = 'broadcast', interfaces = ['x'] }, "
            "c = { kind = 'bond', mode = 'broadcast', interfaces = ['x'] }",
            ["b"],
            "x is a member of b already",
        ),
        (
            "b = { kind = 'bond', mode = 'broadcast', interfaces = ['x'] }, x = { dhcp4 = true }",
            ["b"],
            "as a member of b it can have no address",
        ),
    ],
)
def test_interfaces_that_exclude_each_other_cost_one_of_them(interfaces, left, words):
    found, messages = read(interfaces)
    assert list(found) == left
    assert len(messages) == 1
    assert words in messages[0]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "0123456789abcdef", "..", "-a", "é", "0e:b1:15:c0:5a"])
def test_names_that_no_interface_has_are_refused(name):
    assert "not the name of a network interface" in read(f"'{name}' = {{}}")[1][0]


def test_a_mistake_says_what_becomes_of_the_interface():
    _, problems = parse_user_data("settings.network.interfaces.eth0.mtu = 1")
    assert problems[0].path == "settings.network.interfaces.eth0.mtu"
    assert problems[0].hint == "the interface asks for its addresses by DHCP"


def test_hosts_are_written_as_lists():
    settings, problems = parse_user_data('settings.network.hosts = [["192.0.2.1", ["a", "b.example.com"]]]')
    assert (settings.network.hosts, problems) == ([HostsEntry("192.0.2.1", ["a", "b.example.com"])], [])
    for bad in ('["192.0.2.1"]', '["a", ["b"]]', '["192.0.2.1", []]', '["192.0.2.1", ["a b"]]'):
        assert len(parse_user_data(f"settings.network.hosts = [{bad}]")[1]) == 1
