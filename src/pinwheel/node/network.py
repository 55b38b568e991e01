# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The node's network as networkd sees it, and its addresses as the kernel has them.

networkd's state files do not list static addresses and its D-Bus interface needs a daemon the node does not have:
getifaddrs(3) has every address, networkd's files say which interfaces are the node's own (and not a bridge of the
engine's).
"""

import socket
from types import ModuleType

from pinwheel.node.paths import NETWORK_LINKS, NETWORK_STATE, Paths

_ONLY_LOCAL = ("fe80:", "169.254.", "127.", "::1")
_IPV4_OFFSET, _IPV6_OFFSET = 4, 8
"""Where the address is in sockaddr_in and sockaddr_in6: ip(7), ipv6(7)."""


def state_value(text: str, key: str) -> str:
    """Give a value of a file of `KEY=value` lines, without quotes; empty when it is not there."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == key:
            return value.strip("\"'")
    return ""


def operational_state(paths: Paths) -> str:
    """Give networkd's view of all links together: `routable` when the node can be reached from elsewhere."""
    return state_value(paths.text(NETWORK_STATE), "OPER_STATE")


def addresses(paths: Paths) -> list[str]:
    """Give the addresses of the interfaces that networkd manages, IPv4 first, link-local ones left out."""
    mine = {name for index, name in socket.if_nameindex() if _is_managed(paths, index)}
    found = [address for name, address in _interface_addresses() if name in mine]
    usable = [address for address in dict.fromkeys(found) if not address.startswith(_ONLY_LOCAL)]
    return sorted(usable, key=lambda address: ":" in address)


def _is_managed(paths: Paths, index: int) -> bool:
    state = state_value(paths.text(f"{NETWORK_LINKS}/{index}"), "ADMIN_STATE")
    return state not in ("", "unmanaged", "linger")


def _interface_addresses() -> list[tuple[str, str]]:
    """Give (interface, address) for every IPv4 and IPv6 address, by getifaddrs(3)."""
    import ctypes

    class Entry(ctypes.Structure):
        pass

    Entry._fields_ = [  # a structure that points to itself
        ("next", ctypes.POINTER(Entry)),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("address", ctypes.c_void_p),
    ]
    library = ctypes.CDLL(None, use_errno=True)
    first = ctypes.POINTER(Entry)()
    if library.getifaddrs(ctypes.byref(first)) != 0:
        return []
    found, entry = [], first
    while entry:
        address = _address(ctypes, entry.contents.address)
        if address:
            found.append((entry.contents.name.decode(), address))
        entry = entry.contents.next
    library.freeifaddrs(first)
    return found


def _address(ctypes: ModuleType, pointer: int | None) -> str:
    if not pointer:
        return ""
    family = ctypes.c_ushort.from_address(pointer).value
    if family == socket.AF_INET:
        return socket.inet_ntop(family, ctypes.string_at(pointer + _IPV4_OFFSET, 4))
    if family == socket.AF_INET6:
        return socket.inet_ntop(family, ctypes.string_at(pointer + _IPV6_OFFSET, 16))
    return ""
