# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API service on real sockets, in a thread, and a client that sends what it is told byte by byte."""

import asyncio
import http.client
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pinwheel.node.api.app import App
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.node import ACTUATOR, Node
from pinwheel.node.api.server import Server
from pinwheel.node.paths import Paths

LIMITS = Limits(leave_after_seconds=3600)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The codes of the problems."""
        return [problem["code"] for problem in self.json["problems"]]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(os.fspath(self._path))


class Service:
    """A service that runs."""

    def __init__(self, node: Node, path: Path) -> None:
        self.node = node
        self.path = path

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; a body that is no bytes goes as JSON."""
        connection = UnixConnection(self.path)
        try:
            return exchange(connection, method, target, body, headers)
        finally:
            connection.close()

    def raw(self, *parts: bytes, end: bool = True) -> bytes:
        """Send bytes as they are, and give all that comes back until the service closes."""
        with self.open() as channel:
            for part in parts:
                channel.sendall(part)
            if end:
                channel.shutdown(socket.SHUT_WR)
            return everything(channel)

    def open(self) -> socket.socket:
        """Connect."""
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(30)
        channel.connect(os.fspath(self.path))
        return channel


def everything(channel: socket.socket) -> bytes:
    """Read to the end; a connection that is torn down ends too."""
    content = b""
    try:
        while part := channel.recv(65536):
            content += part
    except ConnectionError:
        pass
    return content


def exchange(
    connection: http.client.HTTPConnection, method: str, target: str, body: Any, headers: dict[str, str]
) -> Answer:
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, content, sent)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


@contextmanager
def running(
    root: Paths, limits: Limits = LIMITS, tls: ssl.SSLContext | None = None, actuator: Path | None = None
) -> Iterator[Service]:
    """Run a service on a unix socket, or with `tls` on a port of this machine, which is then `Service.path`'s name."""
    runtime = root.at("/run/pinwheel-api")
    runtime.mkdir(parents=True, exist_ok=True)
    if actuator:
        link = root.at(ACTUATOR)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(actuator)
    listener = socket.socket(socket.AF_INET if tls else socket.AF_UNIX)
    path = root.at("/run/api.sock")
    path.unlink(missing_ok=True)
    listener.bind(("127.0.0.1", 0) if tls else os.fspath(path))
    listener.listen(128)
    place = Path(str(listener.getsockname()[1])) if tls else path
    node = Node(root, runtime, limits)
    with _in_thread(node, listener, tls):
        yield Service(node, place)
    listener.close()


@contextmanager
def _in_thread(node: Node, listener: socket.socket, tls: ssl.SSLContext | None) -> Iterator[None]:
    started = threading.Event()
    stop: list[Any] = []

    async def serve() -> None:
        task = asyncio.ensure_future(Server(App(node), node.limits).serve([listener], tls))
        stop.extend([asyncio.get_running_loop(), task])
        started.set()
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait(10)
    try:
        yield
    finally:
        loop, task = stop
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        assert not thread.is_alive()
