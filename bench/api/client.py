# SPDX-License-Identifier: Apache-2.0 OR MIT
"""An HTTP client that costs next to nothing, so that what it measures is the other side."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
TIMEOUT = 60.0


class Answer(NamedTuple):
    """An answer, and the seconds from the first byte of the request to the last of the answer."""

    status: int
    body: bytes
    seconds: float


def request(method: str, target: str, body: dict[str, Any] | None = None) -> bytes:
    """Write a request; a body goes as JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\n"
    if body is not None:
        head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


class Sockets:
    """A directory of sockets; their paths may be longer than a socket's address."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def connect(self, name: str) -> "Channel":
        """Connect to one of them."""
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(TIMEOUT)
        channel.connect(f"/proc/self/fd/{self._descriptor}/{name}.sock")
        return Channel(channel)

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._descriptor)


class Channel:
    """A connection that is kept."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def ask(self, content: bytes) -> Answer:
        """Send a request and take its answer.

        Raises:
            OSError: the connection broke, or no answer came in time.
        """
        started = time.perf_counter()
        self._channel.sendall(content)
        received = b""
        while _END_OF_HEAD not in received:
            received += self._more()
        head, _, body = received.partition(_END_OF_HEAD)
        length = content_length(head)
        while len(body) < length:
            body += self._more()
        return Answer(int(head[9:12]), body, time.perf_counter() - started)

    def _more(self) -> bytes:
        part = self._channel.recv(1 << 18)
        if not part:
            raise ConnectionError("it hung up")
        return part

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


def content_length(head: bytes) -> int:
    """Read the length of the body out of the head of an answer; 0 where it has none."""
    lines = head.lower().split(b"\r\n")
    return next((int(line.removeprefix(_LENGTH)) for line in lines if line.startswith(_LENGTH)), 0)
