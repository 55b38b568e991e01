# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What systemd is told of the slice that the workload's containers are in."""

from typing import Any

from tests.support.node_root import program

from pinwheel.node.paths import SYSTEMCTL, Paths
from pinwheel.node.services import workload
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

MIB = 1024**2


def reserving(amount: Any) -> Settings:
    settings, mistakes = read(Settings, {"memory": {"reserved": amount}})
    assert mistakes == []
    return settings


def test_limit_is_set_changed_and_taken_away(root: Paths) -> None:
    program(root, SYSTEMCTL, f'echo "$@" >> {root.at("/asked")}')
    less, more, none = reserving("1M"), reserving("2M"), Settings()
    for old, new in ((none, less), (less, less), (less, more), (more, none)):
        assert workload.activate(root, old, new) == []
    total = workload.machine_memory()
    assert root.text("/asked").splitlines() == [
        f"set-property --runtime workload.slice MemoryMax={limit}"
        for limit in (total - MIB, total - 2 * MIB, "infinity")
    ]


def test_limit_that_systemd_refuses_is_a_problem_of_the_setting(root: Paths) -> None:
    program(root, SYSTEMCTL, "echo no such slice >&2; exit 1")
    (problem,) = workload.activate(root, Settings(), reserving("1M"))
    assert (problem.path, problem.message) == ("settings.memory.reserved", "no such slice")
