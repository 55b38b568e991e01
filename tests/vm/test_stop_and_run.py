# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What outlives a power-off: one machine, used, switched off by its button, given a larger disk, and started again."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.lab import Docker, Lab

from pinwheel.machine.machine import Machine
from pinwheel.machine.record import GIB

pytestmark = pytest.mark.vm

FIRST_SIZE, SECOND_SIZE = 4 * GIB, 6 * GIB


@dataclass(frozen=True)
class Restarted:
    """A machine in its second run, and what was seen of the first."""

    machine: Machine
    docker: Docker
    stopped_by_itself: bool
    first_port: int
    first_data_size: int
    """Bytes."""


@pytest.fixture(scope="module")
def restarted(lab: Lab, insecure: str, busybox: str) -> Iterator[Restarted]:
    machine = lab.boot(lab.create("kept", user_data=insecure, disk_size=FIRST_SIZE))
    docker, port = Docker(machine, lab.toolbox), machine.record.docker_port
    docker("run", "--rm", "--volume", "notes:/data", busybox, "sh", "-c", "echo kept > /data/note")
    docker("run", "--detach", "--name", "service", "--restart", "always", busybox, "sleep", "600")
    size = data_size(docker, busybox)
    graceful = machine.stop()
    os.truncate(machine.disk, SECOND_SIZE)
    machine.change(user_data=f'[settings.network]\nhostname = "renamed"\n{insecure}')
    lab.boot(machine)
    yield Restarted(machine, docker, graceful, port, size)
    lab.discard(machine)


def data_size(docker: Docker, image: str) -> int:
    shown = docker("run", "--rm", "--pull", "never", "--volume", "notes:/data", image, "df", "-k", "/data")
    return int(shown.splitlines()[-1].split()[1]) * 1024


def test_power_button_ends_the_node_cleanly(restarted: Restarted) -> None:
    assert restarted.stopped_by_itself
    assert "recovering journal" not in restarted.machine.console_text()


def test_volume_and_image_are_still_there(restarted: Restarted, busybox: str) -> None:
    run = ("run", "--rm", "--pull", "never", "--volume", "notes:/data", busybox)
    assert restarted.docker(*run, "cat", "/data/note") == "kept"


def test_container_with_a_restart_policy_runs_again(restarted: Restarted) -> None:
    assert restarted.docker("inspect", "--format", "{{.State.Running}}", "service") == "true"


def test_data_partition_has_grown_with_the_disk(restarted: Restarted, busybox: str) -> None:
    assert FIRST_SIZE / 4 < restarted.first_data_size < FIRST_SIZE / 2
    grown = data_size(restarted.docker, busybox) - restarted.first_data_size
    assert grown > 0.9 * (SECOND_SIZE - FIRST_SIZE)


def test_changed_user_data_holds_and_the_port_of_the_api_is_the_same(restarted: Restarted) -> None:
    assert restarted.docker("info", "--format", "{{.Name}}") == "renamed"
    assert restarted.machine.record.docker_port == restarted.first_port
