# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel parameters: the file for systemd-sysctl, and the names of the kernel's own files."""

import pytest

from pinwheel.node.paths import SYSCTL
from pinwheel.node.services.sysctl import parameter_file, render
from pinwheel.settings.boot import Boot
from pinwheel.settings.system import Kernel
from pinwheel.settings.tree import Settings


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vm.max_map_count", "/proc/sys/vm/max_map_count"),
        ("kernel.hostname", "/proc/sys/kernel/hostname"),
        ("net.ipv4.conf.eth0/100.forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
        ("net/ipv4/conf/eth0.100/forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
    ],
)
def test_parameter_names_are_read_as_sysctl_d_reads_them(name, file):
    assert parameter_file(name) == file


def test_parameters_are_there_for_interfaces_that_come_later():
    assert render(Settings(kernel=Kernel(sysctl={"vm.x": "1 2"})))[SYSCTL].content == b"vm.x = 1 2\n"
    assert render(Settings()) == {}


def test_kernel_parameters_of_the_boot_count_where_none_of_the_kernels_own_does():
    boot = Boot(kernel_parameters={"sysctl.vm.x": ["1"], "sysctl.vm.y": ["2", "3"], "nvme_core.io_timeout": ["4"]})
    settings = Settings(kernel=Kernel(sysctl={"vm.x": "9"}), boot=boot)
    assert render(settings)[SYSCTL].content == b"vm.x = 9\nvm.y = 3\n"
