# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Addresses are the kernel's, of those interfaces that networkd manages."""

import socket

import pytest
from tests.support.node_root import put

from pinwheel.node.network import addresses, operational_state
from pinwheel.node.paths import NETWORK_LINKS, NETWORK_STATE


def own_address() -> tuple[str, str]:
    """Give an interface of this machine and its address, by another way: the routing table and a connected socket."""
    import fcntl
    import struct

    for _, name in socket.if_nameindex():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            try:
                answer = fcntl.ioctl(channel, 0x8915, struct.pack("256s", name.encode()))  # SIOCGIFADDR
            except OSError:
                continue
        address = socket.inet_ntoa(answer[20:24])
        if not address.startswith("127."):
            return name, address
    pytest.skip("this machine has no network interface with an IPv4 address")


def test_addresses_of_managed_interfaces_are_given(root):
    name, address = own_address()
    put(root, f"{NETWORK_LINKS}/{socket.if_nametoindex(name)}", "ADMIN_STATE=configured\nOPER_STATE=routable\n")
    found = addresses(root)
    assert address in found
    assert not [each for each in found if each.startswith(("127.", "fe80:"))]
    assert found == sorted(found, key=lambda each: ":" in each)


@pytest.mark.parametrize("state", ["unmanaged", "linger", ""])
def test_bridges_of_the_engine_are_left_out(root, state):
    for index, _ in socket.if_nameindex():
        put(root, f"{NETWORK_LINKS}/{index}", f"ADMIN_STATE={state}\n")
    assert addresses(root) == []


def test_state_of_the_network_is_networkd_s(root):
    put(root, NETWORK_STATE, "# private\nOPER_STATE=carrier\nONLINE_STATE=offline\n")
    assert operational_state(root) == "carrier"
    root.at(NETWORK_STATE).unlink()
    assert operational_state(root) == ""
