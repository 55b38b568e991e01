# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Websockets (RFC 6455): the handshake, and messages over a connection handed over. wsproto knows the frames."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import suppress

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

from pinwheel.api.problem import one
from pinwheel.node.api.message import Connection, Header, Request

MAX_TEXT = 64 * 1024
"""Characters of a text message: control messages are far below it."""
MAX_REASON = 120
"""Bytes of the words in a close frame; the RFC has 123."""
CLOSING_SECONDS = 2.0
_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3."""
_KEY_LENGTH = 16


def handshake(request: Request) -> tuple[Header, ...]:
    """Check what a client says to open a websocket, and give the headers of the answer 101.

    Raises:
        ApiError: it is no such request.
    """
    upgrade, connection = request.header(b"upgrade").lower(), request.header(b"connection").lower()
    if upgrade != "websocket" or "upgrade" not in connection or request.header(b"sec-websocket-version") != "13":
        raise one(426, "no-websocket", "this is asked for over a websocket (RFC 6455, version 13)")
    key = request.header(b"sec-websocket-key").encode("latin-1")
    try:
        good = len(base64.b64decode(key, validate=True)) == _KEY_LENGTH
    except ValueError:
        good = False
    if not good:
        raise one(400, "no-websocket", "Sec-WebSocket-Key is not 16 bytes in base64")
    digest = hashlib.sha1(key + _KEY_SUFFIX, usedforsecurity=False).digest()
    accept = base64.b64encode(digest)
    return ((b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-accept", accept))


class Closed(Exception):
    """The websocket is closed, by either side."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocket:
    """The server's side of a websocket. Pings are answered while somebody receives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._frames = Frames(ConnectionType.SERVER)
        self._text = ""
        self.heard = asyncio.get_running_loop().time()
        """When the client was last heard of."""

    async def messages(self) -> AsyncGenerator[bytes | str, None]:
        """Give what arrives: bytes as they come, texts when they are whole.

        Raises:
            Closed: the client closed, left, or broke the protocol.
        """
        while True:
            for event in self._arrived(await self._connection.read()):
                message = await self._taken(event)
                self.heard = asyncio.get_running_loop().time()
                if message:
                    yield message

    def _arrived(self, data: bytes) -> list[Event]:
        if not data:
            raise Closed(CloseReason.ABNORMAL_CLOSURE, "the client left")
        try:
            self._frames.receive_data(data)
            return list(self._frames.events())
        except RemoteProtocolError as error:
            hint = error.event_hint
            code = hint.code if isinstance(hint, CloseConnection) else CloseReason.PROTOCOL_ERROR
            raise Closed(code, str(error)) from None

    async def _taken(self, event: Event) -> bytes | str:
        match event:
            case Ping():
                await self._send(event.response())
            case BytesMessage():
                return bytes(event.data)
            case TextMessage():
                return self._text_part(event)
            case CloseConnection():
                raise Closed(event.code, event.reason or "")
        return b""

    def _text_part(self, event: TextMessage) -> str:
        text, self._text = self._text + event.data, ""
        if len(text) > MAX_TEXT:
            raise Closed(CloseReason.MESSAGE_TOO_BIG, "a text message is too long")
        if not event.message_finished:
            self._text = text
            return ""
        return text

    async def send(self, message: bytes | str) -> None:
        """Send a message; raises ConnectionError when the client is gone."""
        await self._send(BytesMessage(message) if isinstance(message, bytes) else TextMessage(message))

    async def ping(self) -> None:
        """Ask the client for a sign of life."""
        await self._send(Ping())

    async def close(self, code: int, reason: str) -> None:
        """Close, and give the client a moment to hear of it: what it still sends would tear the connection down."""
        short = reason.encode()[:MAX_REASON].decode(errors="ignore")
        known = (
            code
            if code not in {CloseReason.ABNORMAL_CLOSURE, CloseReason.NO_STATUS_RCVD}
            else CloseReason.NORMAL_CLOSURE
        )
        await self._send(CloseConnection(known, short))
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                while await self._connection.read():
                    pass

    async def _send(self, event: Event) -> None:
        """Send, unless a close frame has gone either way: then only the answer to the client's can follow."""
        state = self._frames.state
        answers = state is ConnectionState.REMOTE_CLOSING and isinstance(event, CloseConnection)
        if state is not ConnectionState.OPEN and not answers:
            return
        await self._connection.write(self._frames.send(event))
