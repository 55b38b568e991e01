# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Names of kernel parameters and the files they are."""

import pytest

from pinwheel.node.sysctl import parameter_file


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vm.max_map_count", "vm/max_map_count"),
        ("kernel.hostname", "kernel/hostname"),
        ("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"),
        ("net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"),
    ],
)
def test_parameter_names_are_read_as_sysctl_d_reads_them(name, file):
    assert parameter_file(name) == file
