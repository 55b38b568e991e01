# SPDX-License-Identifier: Apache-2.0 OR MIT
from pathlib import Path

import pytest
from bench.boot.guest_files import Memory, idle_memory, open_ports, parse_meminfo

MEMINFO = """\
MemTotal:        2014640 kB
MemFree:         1547964 kB
MemAvailable:    1706096 kB
Buffers:            9804 kB
Cached:           274348 kB
SwapCached:            0 kB
Active(anon):      77628 kB
AnonPages:         76776 kB
Slab:              39016 kB
SReclaimable:      12292 kB
SUnreclaim:        26724 kB
KernelStack:        2208 kB
PageTables:         1928 kB
Percpu:              816 kB
HugePages_Total:       0
"""

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = HEADER + (
    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
    "   1: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 2 1\n"
    "   2: 0F02000A:0016 0202000A:B2C4 01 00000000:00000000 02:000A7D8B 00000000     0        0 3 2\n"
)
TCP6 = HEADER + (
    "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00 0 0 0\n"
    "   1: 00000000000000000000000001000000:0CEA 00000000000000000000000000000000:0000 0A 00000000:00000000 00 0 0 0\n"
)
UDP = HEADER + (
    "  12: 00000000:14EB 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 4 2\n"
    "  13: 0F02000A:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000   998        0 5 2\n"
    "  14: 0F02000A:9D2E 0302000A:007B 01 00000000:00000000 00:00000000 00000000   997        0 6 2\n"
)


def test_meminfo_is_read_in_bytes():
    memory = parse_meminfo(MEMINFO)
    assert memory.unreclaimable == (2014640 - 1547964 - 9804 - 274348 - 12292) * 1024
    assert memory.unavailable == (2014640 - 1706096) * 1024
    assert memory.attributed == (76776 + 26724 + 2208 + 1928 + 816) * 1024


def test_this_kernels_own_meminfo_can_be_read():
    memory = parse_meminfo(Path("/proc/meminfo").read_text())
    assert memory.attributed > 0


def test_a_meminfo_without_its_lines_is_refused():
    with pytest.raises(KeyError):
        parse_meminfo("")


def test_what_the_second_container_added_is_taken_off_the_first_reading():
    idle = idle_memory(Memory(100, 200, 60), Memory(95, 190, 71))
    assert idle == Memory(89, 189, 49)


def test_a_port_on_all_addresses_is_open_once_for_both_families():
    assert open_ports({"tcp": TCP, "tcp6": TCP6}) == ["22/tcp"]


def test_loopback_dhcp_client_and_connections_are_not_open_ports():
    assert open_ports({"tcp": TCP, "udp": UDP}) == ["22/tcp", "5355/udp"]


def test_an_empty_table_has_no_open_ports():
    assert open_ports({"tcp": HEADER, "udp6": ""}) == []
