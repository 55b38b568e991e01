# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The client's side of a websocket (RFC 6455) on a connection of a transport. wsproto knows the frames."""

import socket
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
from wsproto.utilities import RemoteProtocolError

from pinwheel.api.client.failure import ApiFailed, read_failure
from pinwheel.api.client.transport import Transport

_CHUNK = 64 * 1024
SILENCE_SECONDS = 30.0
"""The server pings every two seconds: after so long without anything it is gone."""


class Closed(NamedTuple):
    """How the server closed."""

    code: int
    """RFC 6455, 7.4.1."""
    reason: str


Message = bytes | str | Closed


class WebSocket:
    """A websocket. One thread receives, another one may send."""

    def __init__(self, transport: Transport, path: str) -> None:
        """Connect, and agree on a websocket; raises ApiFailed."""
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._host = transport.host
        self.channel: socket.socket = transport.connect()
        self._text = ""
        try:
            self._agree(path)
        except BaseException:
            self.channel.close()
            raise

    def _agree(self, path: str) -> None:
        self._send(Request(host=self._host, target=path))
        status, refusal = 0, b""
        while True:
            for event in self._arrived():
                if isinstance(event, AcceptConnection):
                    self.channel.settimeout(SILENCE_SECONDS)
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
            self._receive()

    def _taken(self, event: Event) -> Message:
        match event:
            case Ping():
                self._send(event.response())
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
        """Send a message; raises ApiFailed."""
        self._send(BytesMessage(message) if isinstance(message, bytes) else TextMessage(message))

    def close(self) -> None:
        """Hang up."""
        self.channel.close()

    def _send(self, event: Event) -> None:
        try:
            self.channel.sendall(self._frames.send(event))
        except OSError as error:
            raise self._broken(error) from error

    def _arrived(self) -> list[Event]:
        self._receive()
        return list(self._frames.events())

    def _receive(self) -> None:
        try:
            data = self.channel.recv(_CHUNK)
            self._frames.receive_data(data or None)
        except OSError as error:
            raise self._broken(error) from error
        except RemoteProtocolError as error:
            raise ApiFailed(f"{self._host} does not speak as a node does: {error}") from error
        if not data:
            raise self._broken(EOFError("the other side hung up"))

    def _broken(self, error: Exception) -> ApiFailed:
        return ApiFailed(f"the connection to {self._host} broke: {error or type(error).__name__}")
