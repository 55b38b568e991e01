# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The actuator's side of the socket: who may connect, one request per connection, and leaving when nobody asks.

systemd holds the listening socket. A connection that arrives while the process leaves waits there, and starts the next.
"""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Collection

import msgspec

from pinwheel.node.actuator.protocol import (
    MAX_REQUEST,
    Answer,
    Done,
    Failed,
    Progress,
    Request,
    Started,
    line,
    read_request,
)
from pinwheel.node.actuator.refusal import BAD_REQUEST, FAILED, Refusal

REQUEST_SECONDS = 10.0
"""How long a request line may take to arrive."""
_LEAST_WAIT = 1.0
"""Seconds between two looks at whether work that outlasts the idle time has ended."""
MAX_CONNECTIONS = 32
"""More wait in the socket's queue: there is one client, and it limits itself."""
_CREDENTIALS = struct.Struct("3i")
"""struct ucred of unix(7): pid, uid, gid."""


class Conversation:
    """What a verb may do with its connection while it works."""

    def __init__(self, connection: socket.socket, stopping: int) -> None:
        self._connection = connection
        self._stopping = stopping

    def progress(self, message: str) -> None:
        """Say what is being done."""
        self._send(Progress(message))

    def started(self, descriptors: list[int]) -> None:
        """Hand over descriptors."""
        content = line(Started(len(descriptors)))
        try:
            socket.send_fds(self._connection, [content], descriptors)
        except OSError:
            return  # gone: `stays_until` sees that

    def stays_until(self, descriptor: int) -> bool:
        """Wait until a descriptor can be read; False when the other side, or this process, leaves before that."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._stopping, select.POLLIN)
        poll.register(self._connection, select.POLLRDHUP)
        return any(ready == descriptor for ready, _ in poll.poll())

    def finish(self, answer: Answer) -> None:
        """Say how it ended."""
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        try:
            self._connection.sendall(line(answer))
        except OSError:
            return  # the work goes on: a change half made because its author left would be worse


Handler = Callable[[Request, Conversation], object]


class Server:
    """Serves until nobody has asked for a while."""

    def __init__(self, listener: socket.socket, handler: Handler, allowed: Collection[int], idle: float) -> None:
        """Take a listening socket.

        Args:
            listener: the socket, of systemd's or a test's.
            handler: does what is asked, and gives the result; raises Refusal.
            allowed: the user ids that may ask.
            idle: seconds without a connection after which `serve` returns.
        """
        self._listener = listener
        self._handler = handler
        self._allowed = allowed
        self._idle = idle
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._working: list[threading.Thread] = []
        self._last = time.monotonic()
        self._stopping = os.eventfd(0)

    def stop(self) -> None:
        """Have `serve` return: what has begun is finished, but commands that run for somebody are ended."""
        os.eventfd_write(self._stopping, 1)

    def serve(self) -> None:
        """Serve; returns when it has been idle for long enough, or is stopped and all has been answered."""
        while self._waits():
            connection, _ = self._listener.accept()
            self._slots.acquire()
            self._working = [thread for thread in self._working if thread.is_alive()]
            self._working.append(threading.Thread(target=self._serve_one, args=(connection,)))
            self._working[-1].start()

        for thread in self._working:
            thread.join()

    def _waits(self) -> bool:
        """Wait for a connection; False when there is to be none any more."""
        while True:
            left = max(self._last + self._idle - time.monotonic(), min(_LEAST_WAIT, self._idle))
            ready, _, _ = select.select([self._listener.fileno(), self._stopping], [], [], left)
            if ready or self._is_idle():
                return ready == [self._listener.fileno()]

    def _is_idle(self) -> bool:
        busy = any(thread.is_alive() for thread in self._working)
        return not busy and time.monotonic() - self._last >= self._idle

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            with connection:
                if peer_uid(connection) in self._allowed:
                    connection.settimeout(REQUEST_SECONDS)
                    self._converse(connection)
        finally:
            self._last = time.monotonic()
            self._slots.release()

    def _converse(self, connection: socket.socket) -> None:
        conversation = Conversation(connection, self._stopping)
        try:
            request = read_request(_request_line(connection))
            connection.settimeout(None)
            conversation.finish(Done(self._handler(request, conversation)))
        except Refusal as refusal:
            problems = [problem._asdict() for problem in refusal.problems]
            conversation.finish(Failed(refusal.status, refusal.message, problems))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            conversation.finish(Failed(BAD_REQUEST, f"no request of the actuator's: {error}"))
        except OSError as error:
            conversation.finish(Failed(FAILED, f"the node could not do it: {error}"))


def peer_uid(connection: socket.socket) -> int:
    """Give the user id of the process at the other end, as it was when it connected."""
    content = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(content)[1]
    return uid


def _request_line(connection: socket.socket) -> bytes:
    """Read up to the end of the line; raises Refusal when there is none in time or within the limit."""
    content = bytearray()
    deadline = time.monotonic() + REQUEST_SECONDS
    while not content.endswith(b"\n"):
        try:
            part = connection.recv(65536)
        except TimeoutError:
            part = b""
        content += part
        if not part or len(content) > MAX_REQUEST or time.monotonic() > deadline:
            raise Refusal(BAD_REQUEST, f"no request of at most {MAX_REQUEST} bytes within {REQUEST_SECONDS:g} s")
    return bytes(content)


def inherited_socket() -> socket.socket:
    """Give the one listening socket that systemd passes: sd_listen_fds(3).

    Raises:
        OSError: systemd passed none.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        raise OSError("not started by a socket unit")
    return socket.socket(fileno=3)
