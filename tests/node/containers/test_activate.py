# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A change of settings starts, stops and restarts just those host containers that it concerns."""

import pytest
from tests.support.node_root import program

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths
from pinwheel.node.services.host_containers import activate
from pinwheel.settings.containers import HostContainer
from pinwheel.settings.secret import Secret
from pinwheel.settings.system import Network
from pinwheel.settings.tree import Settings


def settings(*, proxy: str = "", **containers: HostContainer) -> Settings:
    return Settings(network=Network(https_proxy=Secret(proxy) if proxy else None), host_containers=containers)


def running(source: str = "a:1") -> HostContainer:
    return HostContainer(source=source, enabled=True)


NOTHING, ONE = settings(), settings(x=running())


@pytest.mark.parametrize(("old", "new", "done"), [
    (NOTHING, settings(x=running(), y=running()), ["start x", "start y"]),
    (ONE, NOTHING, ["stop x"]),
    (ONE, settings(x=HostContainer(source="a:1")), ["stop x"]),
    (ONE, settings(x=running("a:2"), y=running()), ["restart x", "start y"]),
    (ONE, settings(x=running(), y=HostContainer(source="b:1")), []),
    (ONE, settings(x=HostContainer(source="a:1", enabled=True, user_data=Secret("eA=="))), ["restart x"]),
    (ONE, settings(x=running(), proxy="http://p:1"), ["restart x"]),
    (NOTHING, settings(proxy="http://p:1"), []),
    (ONE, ONE, []),
])  # fmt: skip
def test_units_follow_the_settings(root: Paths, old: Settings, new: Settings, done: list[str]) -> None:
    log = root.at("/run/log")
    program(root, places.SYSTEMCTL, f'echo "$*" >> {log}')
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    assert activate(root, old, new) == []
    assert log.read_text().splitlines() == [
        f"{verb} --no-block host-container@{name}.service" for verb, name in (one.split() for one in done)
    ]


def test_what_systemd_refuses_is_a_problem_of_the_entry(root: Paths) -> None:
    program(root, places.SYSTEMCTL, "echo no such unit >&2; exit 1")
    (problem,) = activate(root, NOTHING, ONE)
    assert (problem.path, problem.message) == ("settings.host-containers.x", "no such unit")
