# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What units take, read from cgroups: of a root in a temporary directory, and of this machine."""

from pathlib import Path

import pytest
from tests.support.node_root import put

from pinwheel.node.cgroups import Usage, usages
from pinwheel.node.paths import CGROUPS, Paths


def cgroup(root: Paths, path: str, memory: str = "4096\n", cpu: str = "usage_usec 1500000\nuser_usec 1\n") -> None:
    put(root, f"{CGROUPS}/{path}/memory.current", memory)
    put(root, f"{CGROUPS}/{path}/cpu.stat", cpu)


def test_units_are_found_in_slices_and_what_is_inside_them_is_theirs(root: Paths) -> None:
    cgroup(root, "init.scope")
    cgroup(root, "system.slice/docker.service", "1000\n")
    cgroup(root, "system.slice/docker.service/inner.service")
    cgroup(root, "workload.slice/docker-ab.scope")
    cgroup(root, "workload.slice/workload-a.slice/docker-cd.scope")
    assert usages(root) == [
        Usage("docker-ab.scope", 4096, 1.5),
        Usage("docker-cd.scope", 4096, 1.5),
        Usage("docker.service", 1000, 1.5),
        Usage("init.scope", 4096, 1.5),
    ]


def test_a_unit_that_goes_at_this_moment_is_left_out(root: Paths) -> None:
    put(root, f"{CGROUPS}/system.slice/gone.service/cpu.stat", "usage_usec 1\n")
    cgroup(root, "system.slice/odd.service", cpu="\n")
    assert usages(root) == []


def test_a_node_without_cgroups_has_no_units(root: Paths) -> None:
    assert usages(root) == []


def test_this_machines_own_cgroups_can_be_read() -> None:
    if not Path("/sys/fs/cgroup/system.slice").is_dir():
        pytest.skip("this machine is not run by systemd")
    assert usages(Paths())
