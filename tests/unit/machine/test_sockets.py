# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Sockets in directories whose names are longer than a socket's address."""

import socket
from pathlib import Path

import pytest

from pinwheel.machine.sockets import connect


def test_socket_is_reached_however_long_its_path_is(tmp_path, monkeypatch):
    directory = tmp_path / ("long-" * 40)
    directory.mkdir()
    monkeypatch.chdir(directory)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("x.sock")
        listener.listen()
        with connect(directory, "x.sock", 5) as client:
            server, _ = listener.accept()
            with server:
                client.sendall(b"hello")
                assert server.recv(10) == b"hello"


def test_no_listener_is_an_error_and_leaks_nothing(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(FileNotFoundError):
        connect(tmp_path, "x.sock", 1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
