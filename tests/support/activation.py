# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Sockets held as systemd holds them (sd_listen_fds(3)), by a process that does nothing else.

A service starts with the first connection to its socket, and again with the next one after its end, however it ended.
What a connection brings while nobody runs waits in the socket. The holder is told what to do by lines on its standard
input, and answers each with a line of JSON; it ends, and its services with it, when that input ends.
"""

import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

FIRST_DESCRIPTOR = 3
BACKLOG = 128
"""As in the socket units."""


class Service(NamedTuple):
    """A service with one socket."""

    listener: socket.socket
    run: Callable[[], int]
    """What it does: called in a process of its own, with the socket as descriptor 3. May exec."""
    restart: bool = False
    """Whether it starts again by itself after a crash: `Restart=on-failure`."""


def listen(path: Path, *, owner: int = 0, group: int = 0, mode: int = 0o600) -> socket.socket:
    """Make a listening socket."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(path))
    if (owner, group) != (0, 0):
        os.chown(path, owner, group)
    path.chmod(mode)
    listener.listen(BACKLOG)
    return listener


class Holder:
    """Holds the sockets."""

    def __init__(self, services: Mapping[str, Service], commands: Mapping[str, Callable[..., object]] = {}) -> None:
        """Take the services.

        Args:
            services: by name.
            commands: what may be asked for besides `kill NAME` and `pids`; called with the words that follow.
        """
        self._services = services
        self._commands: dict[str, Callable[..., object]] = {"kill": self._kill, "pids": lambda: self.pids, **commands}
        self.pids: dict[str, int] = {}
        """Of those that run."""
        self._over = False
        self._selector = selectors.DefaultSelector()

    def hold(self) -> None:
        """Hold them until the standard input ends."""
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self._command)
        for name in self._services:
            self._wait_for_connection(name)
        while not self._over:
            for key, _ in self._selector.select():
                key.data()
        for name in self.pids:
            self._kill(name)

    def _wait_for_connection(self, name: str) -> None:
        listener = self._services[name].listener
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._start(name))

    def _start(self, name: str) -> None:
        self._selector.unregister(self._services[name].listener)
        self._fork(name)

    def _fork(self, name: str) -> None:
        service = self._services[name]
        pid = os.fork()
        if pid == 0:
            become(service.run, service.listener.fileno())
        self.pids[name] = pid
        end = os.pidfd_open(pid)
        self._selector.register(end, selectors.EVENT_READ, lambda: self._ended(name, end))

    def _ended(self, name: str, end: int) -> None:
        self._selector.unregister(end)
        os.close(end)
        _, status = os.waitpid(self.pids.pop(name), 0)
        if status and self._services[name].restart:
            self._fork(name)
        else:
            self._wait_for_connection(name)

    def _kill(self, name: str) -> bool:
        """Kill a service as by a crash; say whether it was running."""
        if name not in self.pids:
            return False
        os.kill(self.pids[name], signal.SIGKILL)
        return True

    def _command(self) -> None:
        line = os.read(sys.stdin.fileno(), 4096)  # one command at a time: whoever asks waits for the answer
        if not line:
            self._over = True
            return
        name, *words = line.decode().split()
        print(json.dumps(self._commands[name](*words)), flush=True)


def become(run: Callable[[], int], listener: int) -> NoReturn:
    """Be a service, in a forked process: with the socket where it looks for it, and no other descriptor."""
    status = 1
    try:
        os.dup2(2, 1)  # what it prints is no answer of the holder's
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(listener, FIRST_DESCRIPTOR)
        os.set_inheritable(FIRST_DESCRIPTOR, True)  # when it was there already, dup2() has changed nothing
        os.closerange(FIRST_DESCRIPTOR + 1, 1024)
        os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
        status = run()
    except BaseException:  # noqa: BLE001 - whatever it is, this copy of the holder must not go on
        traceback.print_exc()
    finally:
        os._exit(status)
