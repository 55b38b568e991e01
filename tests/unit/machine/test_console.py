# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The console on a real pseudo-terminal, with a socket where QEMU would be."""

import os
import pty
import socket
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.machine.console import RECALLED, attach, recalled


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """QEMU's end of the console socket, listening in tmp_path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "console.log").write_bytes(b"earlier\r\n")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("console.sock")
        listener.listen()
        yield listener


def attached(directory: Path, keyboard: int | None, screen: int) -> threading.Thread:
    thread = threading.Thread(
        target=attach, args=(directory,), kwargs={"keyboard": keyboard, "screen": screen}, daemon=True
    )
    thread.start()
    return thread


def test_onlooker_sees_the_past_then_the_present_until_the_machine_ends(machine, tmp_path):
    reader, writer = os.pipe()
    thread = attached(tmp_path, None, writer)
    server, _ = machine.accept()
    server.sendall(b"now\r\n")
    server.close()
    thread.join(10)
    assert os.read(reader, 1000) == b"earlier\r\nnow\r\n"
    os.close(reader)
    os.close(writer)


def test_keys_reach_the_machine_until_the_escape_and_the_terminal_is_restored(machine, tmp_path):
    user, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    reader, writer = os.pipe()
    thread = attached(tmp_path, terminal, writer)
    server, _ = machine.accept()
    assert os.read(reader, 100) == b"earlier\r\n"
    server.sendall(b"raw now")  # its arrival says that the terminal is raw by now
    assert os.read(reader, 100) == b"raw now"
    assert not termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
    os.write(user, b"a\x03b\x1dnot this")
    thread.join(10)
    assert not thread.is_alive()
    assert server.recv(100) == b"a\x03b"
    assert termios.tcgetattr(terminal) == before
    for descriptor in (user, terminal, reader, writer):
        os.close(descriptor)
    server.close()


def test_second_terminal_is_told_that_the_first_is_there(machine, tmp_path):
    reader, writer = os.pipe()
    thread = attached(tmp_path, None, writer)
    server, _ = machine.accept()
    assert os.read(reader, 100) == b"earlier\r\n"
    with pytest.raises(UsageFault, match="another terminal"):
        attach(tmp_path, keyboard=None, screen=writer)
    server.close()
    thread.join(10)
    os.close(reader)
    os.close(writer)


def test_only_the_last_part_of_a_long_log_is_recalled_from_the_start_of_a_line(tmp_path):
    (tmp_path / "log").write_bytes(b"".join(b"line %06d\n" % number for number in range(5000)))
    part = recalled(tmp_path / "log")
    assert len(part) <= RECALLED
    assert part.startswith(b"line ")
    assert part.endswith(b"line 004999\n")
    assert recalled(tmp_path / "none") == b""
