# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Read what a guest's kernel says of itself in /proc. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

_KIB = 1024

DHCP_CLIENT_PORTS = frozenset({68, 546})
"""DHCPv4 and DHCPv6: whoever has an address from DHCP has these."""

_TCP_LISTEN = 0x0A
_UDP_UNCONNECTED = 0x07
_LISTENING = {"tcp": _TCP_LISTEN, "tcp6": _TCP_LISTEN, "udp": _UDP_UNCONNECTED, "udp6": _UDP_UNCONNECTED}
"""Socket states of the kernel's include/net/tcp_states.h, as /proc/net/{tcp,udp}* print them (proc_net(5))."""


_RECLAIMABLE_KINDS = ("MemFree", "Buffers", "Cached", "SReclaimable")
_ATTRIBUTED_KINDS = ("AnonPages", "SUnreclaim", "KernelStack", "PageTables", "Percpu")


@dataclass(frozen=True)
class Memory:
    """Memory in use, in bytes."""

    unreclaimable: int
    """MemTotal - MemFree - Buffers - Cached - SReclaimable."""
    unavailable: int
    """MemTotal - MemAvailable."""
    attributed: int
    """The part of it that the kernel counts as it is taken: anonymous pages, unreclaimable slab, stacks, page tables,
    per-processor memory."""


def parse_meminfo(text: str) -> Memory:
    """Read /proc/meminfo (proc_meminfo(5)); `KeyError` when a line is missing."""
    values = {name: int(kib) * _KIB for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    return Memory(
        unreclaimable=values["MemTotal"] - sum(values[kind] for kind in _RECLAIMABLE_KINDS),
        unavailable=values["MemTotal"] - values["MemAvailable"],
        attributed=sum(values[kind] for kind in _ATTRIBUTED_KINDS),
    )


def idle_memory(with_one: Memory, with_two: Memory) -> Memory:
    """Take the observing container out of its own observation.

    `with_one` was read by a container that ran alone, `with_two` when a second one ran beside it: what the second added
    is what the first had cost. Only attributed memory is compared for that: MemFree leaves out the pages on each
    processor's free lists, which come and go by more than a container takes.
    """
    container = with_two.attributed - with_one.attributed
    return Memory(with_one.unreclaimable - container, with_one.unavailable - container, with_one.attributed - container)


def open_ports(tables: Mapping[str, str]) -> list[str]:
    """Give the ports that others can reach, like `22/tcp`, out of /proc/net/tcp, tcp6, udp and udp6 (by these names).

    Loopback addresses and the DHCP client do not count; the same port over IPv4 and IPv6 counts once.
    """
    found = set()
    for table, text in tables.items():
        for address, port, state in _sockets(text):
            if state == _LISTENING[table] and not address.is_loopback and not _is_dhcp_client(table, port):
                found.add((port, table.removesuffix("6")))
    return [f"{port}/{protocol}" for port, protocol in sorted(found)]


def _is_dhcp_client(table: str, port: int) -> bool:
    return table.startswith("udp") and port in DHCP_CLIENT_PORTS


def _sockets(text: str) -> list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int, int]]:
    rows = re.findall(r"^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2})\b", text,
                      re.MULTILINE)  # fmt: skip
    return [(_address(address), int(port, 16), int(state, 16)) for address, port, state in rows]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as the kernel prints it: 32-bit words, each in the machine's byte order (x86: little-endian)."""
    packed = b"".join(bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8))
    return ipaddress.ip_address(packed)
