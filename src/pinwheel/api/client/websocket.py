# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The client's side of a websocket (RFC 6455) on a connection of a transport. wsproto knows the frames."""

import queue
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import NamedTuple

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from pinwheel.api.client.failure import ApiFailed, read_failure
from pinwheel.api.client.transport import Transport

MAX_QUEUED = 4
"""Messages that wait to be written; who sends more, waits."""
SILENCE_SECONDS = 30.0
"""The server pings every two seconds: after so long without anything it is gone."""
_CHUNK = 64 * 1024
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Closed(NamedTuple):
    """How the server closed."""

    code: int
    """RFC 6455, 7.4.1."""
    reason: str


Message = bytes | str | Closed


class WebSocket:
    """A websocket. The thread that receives also writes, whatever can be done next: TLS wants one thread, and were it
    to wait for the other side to read, both sides might wait for each other. Any thread may send, into a queue.
    """

    def __init__(self, transport: Transport, path: str) -> None:
        """Connect, and agree on a websocket; raises ApiFailed."""
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._host = transport.host
        self._text = ""
        self._outgoing = b""
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._room = threading.Semaphore(MAX_QUEUED)
        self._channel: socket.socket = transport.connect()
        self._woken, self._wake = socket.socketpair()
        try:
            self._channel.setblocking(False)
            self._agree(path)
        except BaseException:
            self.close()
            raise

    def _agree(self, path: str) -> None:
        self._outgoing = self._frames.send(Request(host=self._host, target=path))
        status, refusal = 0, b""
        while True:
            self._step()
            for event in self._frames.events():
                if isinstance(event, AcceptConnection):
                    return
                if isinstance(event, RejectConnection):
                    status = event.status_code
                if isinstance(event, RejectData):
                    refusal += event.data
                if status and getattr(event, "body_finished", not getattr(event, "has_body", True)):
                    raise read_failure(status, "", refusal)

    def messages(self) -> Iterator[Message]:
        """Give what arrives until the server has closed; the last message is `Closed`.

        Raises:
            ApiFailed: the connection broke.
        """
        while True:
            # What came with the handshake is there before anything is read.
            for event in self._frames.events():
                message = self._taken(event)
                if message:
                    yield message
                if isinstance(message, Closed):
                    return
            self._step()

    def _taken(self, event: Event) -> Message:
        match event:
            case Ping():
                self._outgoing += self._frames.send(event.response())
            case BytesMessage():
                return bytes(event.data)
            case TextMessage():
                text, self._text = self._text + event.data, ""
                if event.message_finished:
                    return text
                self._text = text
            case CloseConnection():
                return Closed(event.code, event.reason or "")
        return b""

    def send(self, message: bytes | str) -> None:
        """Send a message; waits while many are on their way. What goes wrong, `messages` says."""
        self._room.acquire()
        self._queue.put(BytesMessage(message) if isinstance(message, bytes) else TextMessage(message))
        self._wake.send(b"\0")

    def close(self) -> None:
        """Hang up."""
        for channel in (self._channel, self._woken, self._wake):
            channel.close()

    def _step(self) -> None:
        """Wait until something can be read or written, and do it."""
        self._take_queued()
        buffered = isinstance(self._channel, ssl.SSLSocket) and self._channel.pending() > 0
        writable = [self._channel] if self._outgoing else []
        ready = select.select([self._channel, self._woken], writable, [], 0 if buffered else SILENCE_SECONDS)
        if not (buffered or ready[0] or ready[1]):
            raise self._broken(TimeoutError("the other side is silent"))
        if self._woken in ready[0]:
            self._woken.recv(_CHUNK)
        try:
            if ready[1]:
                self._write()
            if buffered or self._channel in ready[0]:
                self._read()
        except _NOT_NOW:
            return
        except OSError as error:
            raise self._broken(error) from error

    def _take_queued(self) -> None:
        # One at a time: who sends is not to be faster than the connection.
        if self._outgoing or self._queue.empty():
            return
        try:
            self._outgoing = self._frames.send(self._queue.get())
        except LocalProtocolError as error:  # it is closed
            raise self._broken(error) from error
        self._room.release()

    def _write(self) -> None:
        self._outgoing = self._outgoing[self._channel.send(self._outgoing) :]

    def _read(self) -> None:
        data = self._channel.recv(_CHUNK)
        try:
            self._frames.receive_data(data or None)
        except RemoteProtocolError as error:
            raise ApiFailed(f"{self._host} does not speak as a node does: {error}") from error
        if not data:
            raise self._broken(EOFError("the other side hung up"))

    def _broken(self, error: Exception) -> ApiFailed:
        return ApiFailed(f"the connection to {self._host} broke: {error or type(error).__name__}")
