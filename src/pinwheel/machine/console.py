# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A terminal on a machine's console: what it printed last, then what it prints, and keys when there is a keyboard."""

import fcntl
import os
import select
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pinwheel.errors import UsageFault
from pinwheel.machine.qemu import CONSOLE_LOG, CONSOLE_SOCKET
from pinwheel.machine.sockets import connect

ESCAPE = b"\x1d"
"""Ctrl-]: leaves the console, as in telnet and virsh."""
RECALLED = 8192
"""Bytes of the log that are shown first: about two screens."""
_CONNECT_TIMEOUT = 5.0


def attach(directory: Path, *, keyboard: int | None, screen: int) -> None:
    """Show the console until its machine ends or the user leaves it.

    Args:
        directory: the machine's.
        keyboard: the descriptor of a terminal to read keys from, or None to only look on.
        screen: the descriptor to write to.

    Raises:
        UsageFault: another terminal is attached.
    """
    with _alone(directory), connect(directory, CONSOLE_SOCKET, _CONNECT_TIMEOUT) as console:
        _write(screen, recalled(directory / CONSOLE_LOG))
        if keyboard is None:
            _relay(console, None, screen)
        else:
            with _raw(keyboard):
                _relay(console, keyboard, screen)


def terminal_keyboard() -> int | None:
    """Give standard input when it is a terminal."""
    return sys.stdin.fileno() if sys.stdin.isatty() else None


def recalled(log: Path) -> bytes:
    """Give the log's last part, from the beginning of a line."""
    if not log.exists():
        return b""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - RECALLED))
        data = file.read()
    return data if size <= RECALLED else data.partition(b"\n")[2]


def _relay(console: socket.socket, keyboard: int | None, screen: int) -> None:
    poll = select.poll()
    poll.register(console, select.POLLIN)
    if keyboard is not None:
        poll.register(keyboard, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == keyboard:
                keys, escape, _ = os.read(keyboard, 1024).partition(ESCAPE)
                console.sendall(keys)
                if escape:
                    return
            elif output := console.recv(65536):
                _write(screen, output)
            else:
                return


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    # QEMU serves one client of the socket; a second one would wait without a word.
    with (directory / "console.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageFault("another terminal is on this console", "use `pinwheel logs --follow` to look on") from None
        yield


@contextmanager
def _raw(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
