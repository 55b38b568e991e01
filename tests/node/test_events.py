# SPDX-License-Identifier: Apache-2.0 OR MIT
import os
import socket
from collections.abc import Iterator

import pytest

from pinwheel.node.events import WARNING, send
from pinwheel.node.paths import JOURNAL_SOCKET, Paths


@pytest.fixture
def journal(root: Paths) -> Iterator[socket.socket]:
    place = root.at(JOURNAL_SOCKET)
    place.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(os.fspath(place))
        listener.settimeout(5)
        yield listener


def test_an_event_is_a_datagram_of_fields(root: Paths, journal: socket.socket) -> None:
    send(root, "settings-committed", "settings: generation 4, set", priority=WARNING, generation=4)
    assert journal.recv(4096).decode().splitlines() == [
        "MESSAGE=settings: generation 4, set",
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=pinwheel",
        "PINWHEEL_EVENT=settings-committed",
        "PINWHEEL_GENERATION=4",
    ]


def test_a_value_of_several_lines_cannot_add_fields(root: Paths, journal: socket.socket) -> None:
    send(root, "x", "one\nPRIORITY=0\r\n_UID=0\u2028two")
    lines = journal.recv(4096).decode().split("\n")
    assert lines[0] == "MESSAGE=one PRIORITY=0 _UID=0 two"
    assert [line.partition("=")[0] for line in lines[1:-1]] == ["PRIORITY", "SYSLOG_IDENTIFIER", "PINWHEEL_EVENT"]


def test_without_a_journal_nothing_happens(root: Paths) -> None:
    send(root, "x", "y")
