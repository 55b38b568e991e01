# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run a command in a host container, in Bottlerocket's protocol over a websocket (`GET /exec`).

Binary messages are the command's input and output; text messages are JSON: `Initialize`, `ContentComplete` and `Winch`
from here, `Capacity` from there. The reason in the close frame is the command's exit code.
"""

import json
import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.terminal import Size, is_terminal, on_resize, raw_mode, window_size
from pinwheel.api.client.transport import Transport
from pinwheel.api.client.websocket import Closed, WebSocket

_CHUNK = 32 * 1024
_NORMAL = 1000
"""RFC 6455, 7.4.1: the end is as it should be."""
_STATUSES = {1007: 400, 1003: 400, 1008: 408, 1013: 429}
"""Close codes of the server, and the status that an answer of the same meaning has."""


def run_command(
    transport: Transport,
    target: str,
    command: Sequence[str],
    *,
    terminal: bool | None = None,
    stdin: int = 0,
    stdout: int = 1,
) -> int:
    """Run a command to its end and give its exit code.

    Args:
        transport: the way to the node.
        target: the host container.
        command: the program and its arguments.
        terminal: whether it gets one; None: when this side has one.
        stdin: descriptor that its input is read from.
        stdout: descriptor that its output goes to, errors included.

    Raises:
        ApiFailed: it was not run, or nothing is known of its end.
    """
    wanted = (is_terminal(stdin) and is_terminal(stdout)) if terminal is None else terminal
    websocket = WebSocket(transport, "/exec")
    with ExitStack() as stack:
        stack.callback(websocket.close)
        session = _Session(websocket, stdin, stdout)
        session.initialize(target, command, window_size(stdout) if wanted else None)
        if wanted and is_terminal(stdin):
            stack.enter_context(raw_mode(stdin))
        if wanted and is_terminal(stdout):
            stack.enter_context(on_resize(session.resized))
        return session.run()


class _Session:
    """One command, between two descriptors and a websocket."""

    def __init__(self, websocket: WebSocket, stdin: int, stdout: int) -> None:
        self._websocket = websocket
        self._stdin = stdin
        self._stdout = stdout
        self._capacity = threading.Condition()
        self._sent = 0
        self._taken = 0
        self._allowed = 0
        self._sending = threading.Lock()

    def initialize(self, target: str, command: Sequence[str], size: Size | None) -> None:
        tty = {"size": _size(size)} if size else None
        self._say({"Initialize": {"command": list(command), "target": target, "tty": tty}})

    def run(self) -> int:
        """Pass everything on until the command ends."""
        # It may wait for a key for ever, and needs no goodbye: a daemon.
        threading.Thread(target=self._pass_input, daemon=True).start()
        for message in self._websocket.messages():
            if isinstance(message, Closed):
                return _exit_code(message)
            if isinstance(message, str):
                self._control(json.loads(message))
            else:
                _write_all(self._stdout, message)
        raise ApiFailed("the connection ended before the command")

    def resized(self) -> None:
        """Tell the command its terminal's new size."""
        # A signal's handler: the lock may be held by the very thread that it interrupted.
        threading.Thread(target=self._say_size, daemon=True).start()

    def _say_size(self) -> None:
        with suppress(ApiFailed):  # the thread that receives says what is wrong
            self._say({"Winch": _size(window_size(self._stdout))})

    def _pass_input(self) -> None:
        with suppress(ApiFailed, OSError):  # as above; a terminal that is gone has no more keys
            while data := os.read(self._stdin, _CHUNK):
                self._wait_for_capacity()
                self._send(data)
            self._say("ContentComplete")

    def _wait_for_capacity(self) -> None:
        with self._capacity:
            self._capacity.wait_for(lambda: self._sent - self._taken < self._allowed)
            self._sent += 1

    def _control(self, message: Any) -> None:  # noqa: ANN401 - whatever the server sent
        capacity = message.get("Capacity") if isinstance(message, dict) else None
        if isinstance(capacity, dict):
            with self._capacity:
                self._allowed = int(capacity["max_messages_outstanding"])
                self._taken = int(capacity["messages_written"])
                self._capacity.notify_all()

    def _say(self, message: object) -> None:
        self._send(json.dumps(message))

    def _send(self, message: bytes | str) -> None:
        with self._sending:
            self._websocket.send(message)


def _size(size: Size) -> dict[str, int]:
    return {"rows": size.rows, "cols": size.columns}


def _exit_code(end: Closed) -> int:
    if end.code == _NORMAL and end.reason.isdecimal():
        return int(end.reason)
    raise ApiFailed(end.reason or f"the node closed with code {end.code}", status=_STATUSES.get(end.code, 500))


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
