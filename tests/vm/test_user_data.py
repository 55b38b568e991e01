# SPDX-License-Identifier: Apache-2.0 OR MIT
"""User data with mistakes, user data from a disk, and none at all: the node comes up, and says what it made of it."""

import re
import socket
from collections.abc import Callable, Iterator

import pytest
from tests.support.lab import Docker, Lab
from tests.support.registry import free_port

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine import qemu
from pinwheel.machine.machine import Machine
from pinwheel.machine.node_status import NodeStatus
from pinwheel.machine.record import MIB, PortForward

pytestmark = pytest.mark.vm

MISTAKES = """\
[settings]
motd = 3
colour = "blue"
[settings.network]
hostname = "Not a Name"
no-proxy = "should be a list"
[settings.ntp]
time-servers = ["192.0.2.1"]
[settings.docker]
log-driver = "carrier-pigeon"
[settings.kernel.sysctl]
"no.such.parameter" = "1"
"""
MISTAKEN = {
    2: "settings.motd",
    3: "settings.colour",
    5: "settings.network.hostname",
    6: "settings.network.no-proxy",
    10: "settings.docker.log-driver",
    12: 'settings.kernel.sysctl."no.such.parameter"',
}
"""The path of the setting on each line with a mistake."""
KNOWN_PORTS = (22, 53, 80, 111, 443, 2375, 5353, 5355, 10250)
"""Where servers of other systems would listen."""


def said_by(machine: Machine) -> NodeStatus:
    status = machine.status()
    assert status is not None
    return status


@pytest.fixture(scope="module")
def mistaken(lab: Lab) -> Iterator[Machine]:
    machine = lab.create("mistaken", user_data=MISTAKES)
    yield lab.boot(machine)
    lab.discard(machine)


def test_mistakes_do_not_stop_the_boot_and_are_named_with_line_and_reason(lab: Lab, mistaken: Machine) -> None:
    status = said_by(mistaken)
    assert {problem.line: problem.path for problem in status.user_data.problems} == MISTAKEN
    assert all(problem.message and problem.hint for problem in status.user_data.problems)
    console, shown = mistaken.console_text(), lab.pinwheel("status", mistaken.name).stdout
    for problem in status.user_data.problems:
        assert f"pinwheel: {problem}\n" in console
        assert str(problem) in shown


def test_settings_with_mistakes_have_their_defaults(mistaken: Machine, toolbox: Toolbox) -> None:
    assert Docker(mistaken, toolbox)("info", "--format", "{{.LoggingDriver}}") == "json-file"
    assert said_by(mistaken).hostname == "pinwheel"


@pytest.fixture(scope="module")
def alone(lab: Lab) -> Iterator[Machine]:
    """A machine to which nobody gave user data."""
    ports = [PortForward(host=free_port(), guest=port) for port in KNOWN_PORTS]
    machine = lab.create("alone", user_data=None, publish=ports)
    yield lab.boot(machine)
    lab.discard(machine)


def test_node_without_user_data_is_ready_and_says_that_it_opened_no_port(alone: Machine) -> None:
    status = said_by(alone)
    assert status.user_data.source == "none"
    assert status.user_data.problems == []
    assert status.model_dump()["docker"] == {"remote": None}
    assert "no port is open" in alone.console_text()


def test_nothing_listens_on_a_node_without_user_data(alone: Machine) -> None:
    docker_api = PortForward(host=alone.record.docker_port, guest=2376)
    for forward in (docker_api, *alone.record.publish):
        assert not somebody_answers(forward.host), forward


def somebody_answers(port: int) -> bool:
    """Tell whether there is a server behind a forwarded port: QEMU accepts every connection, and then closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(3)
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return bool(connection.recv(1))
        except TimeoutError:  # a server that waits for more
            return True
        except ConnectionError:
            return False


def test_user_data_is_read_from_a_disk_labelled_cidata(
    lab: Lab, make_machine: Callable[..., Machine], toolbox: Toolbox
) -> None:
    machine = make_machine("cidata", user_data=None, data_disk_size=8 * MIB)
    disk = machine.directory / qemu.DATA_DISK
    disk.write_bytes(bytes(8 * MIB))
    toolbox.run(["mkfs.vfat", "-n", "CIDATA", disk], writable=[machine.directory])
    text = b'[settings.network]\nhostname = "from-a-disk"\n[settings]\ncolour = "blue"\n'
    toolbox.run(["mcopy", "-i", disk, "-", "::user-data.toml"], writable=[machine.directory], input=text)
    status = said_by(lab.boot(machine))
    assert status.user_data.source == "disk"
    assert status.hostname == "from-a-disk"
    assert [problem.path for problem in status.user_data.problems] == ["settings.colour"]
    assert re.search(r"user data line 4: settings\.colour", machine.console_text())
