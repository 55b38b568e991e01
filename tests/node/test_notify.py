# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Notifications arrive where systemd would listen."""

import os
import socket

import pytest

from pinwheel.node.notify import notify


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_arrives_as_one_datagram(tmp_path, abstract):
    name = f"@pinwheel-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0") if abstract else name)
        assert notify("READY=1", {"NOTIFY_SOCKET": name})
        assert systemd.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_sent():
    assert not notify("READY=1", {})


def test_a_socket_that_nobody_holds_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
