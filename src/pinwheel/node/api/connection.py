# SPDX-License-Identifier: Apache-2.0 OR MIT
"""One connection: HTTP/1.1 between a socket and the application. h11 knows the protocol; the limits are ours.

Every wait for the client has a deadline, and so does everything that is kept for it a size.
"""

import asyncio
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

import h11

from pinwheel.api.problem import ApiError, one
from pinwheel.node.api import message
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.message import Request, Response, Stream
from pinwheel.node.api.peer import Client

CHUNK = 64 * 1024
_COMMON = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_CLOSE = (b"connection", b"close")
_HEAD_TOO_LARGE = 431
_VERSIONS = (b"1.1", b"1.0")

Application = Callable[[Request], Awaitable[Response]]


class Connection:
    """Serves one client until either side has enough."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: Client,
        application: Application,
        limits: Limits,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._client = client
        self._application = application
        self._limits = limits
        self._answers_have_bodies = True
        self.owes_answer = False
        """Whether a request has arrived whose answer has an end and is not sent yet."""
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)

    async def serve(self) -> None:
        """Answer requests; returns when the connection is to be closed."""
        try:
            while await self._exchange():
                self._http.start_next_cycle()
        except (ConnectionError, TimeoutError, h11.LocalProtocolError):
            self._writer.transport.abort()
        except Exception:  # noqa: BLE001 - in the middle of an answer: all that is left is to break it off
            traceback.print_exc()
            self._writer.transport.abort()

    async def _exchange(self) -> bool:
        """Answer one request; say whether there may be another."""
        try:
            head = await self._head()
        except h11.RemoteProtocolError as error:
            return await self._refuse(_not_http(error))
        except TimeoutError:
            return await self._refuse(one(408, "too-slow", "the request took too long to arrive"))
        if head is None:
            return False
        self._answers_have_bodies = head.method != b"HEAD"
        request = Request(
            head.method.decode("ascii"),
            head.target.decode("ascii"),
            tuple(head.headers),
            self._client,
            self._body,
        )
        self.owes_answer = True
        response = await self._application(request)
        self.owes_answer = isinstance(response.body, bytes) and not response.upgrade
        if response.upgrade:
            await self._hand_over(response)
            return False
        try:
            await self._send(response, close=not self._body_is_over())
        finally:
            self.owes_answer = False
            if isinstance(response.body, Stream):
                await response.body.close()
        await self._drain()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _refuse(self, error: ApiError) -> bool:
        """Answer what is no request; nothing comes after it."""
        await self._send(Response(error.status, error.body), close=True)
        await self._drain()
        return False

    async def _head(self) -> h11.Request | None:
        """Read the head of a request; None when the client leaves without one, or has been idle for too long."""
        if not self._http.trailing_data[0]:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    self._http.receive_data(await self._reader.read(CHUNK))
            except TimeoutError:
                return None
        async with asyncio.timeout(self._limits.head_seconds):
            event = await self._event()
        return self._checked(event) if isinstance(event, h11.Request) else None

    def _checked(self, head: h11.Request) -> h11.Request:
        """Refuse what h11 lets pass; it limits only the size of what is not complete yet."""
        size = len(head.target) + sum(len(name) + len(value) + 4 for name, value in head.headers)
        if size > self._limits.head_bytes:
            raise h11.RemoteProtocolError("too large", error_status_hint=_HEAD_TOO_LARGE)
        if head.http_version not in _VERSIONS:
            raise h11.RemoteProtocolError("neither version 1.1 nor 1.0")
        return head

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            self._http.receive_data(await self._reader.read(CHUNK))
        return event

    async def _body(self) -> bytes:
        """Read the whole body."""
        content = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while isinstance(event := await self._event(), h11.Data):
                    content += event.data
                    if len(content) > self._limits.body_bytes:
                        limit = self._limits.body_bytes // 1024
                        raise one(413, "too-large", f"the body is larger than {limit} KiB")
        except TimeoutError:
            raise one(408, "too-slow", "the body took too long to arrive") from None
        except h11.RemoteProtocolError as error:
            raise _not_http(error) from None
        return bytes(content)

    def _body_is_over(self) -> bool:
        """Say whether all of the request has arrived; for one without a body that takes a look."""
        if self._http.their_state is h11.SEND_BODY:
            with suppress(h11.RemoteProtocolError):
                self._http.next_event() if not self._http.they_are_waiting_for_100_continue else None
        return self._http.their_state is h11.DONE

    async def _send(self, response: Response, *, close: bool) -> None:
        body = response.body
        headers = [(b"content-type", response.media.encode()), *_COMMON, *response.headers]
        if isinstance(body, bytes) and response.status != 204:
            headers.append((b"content-length", str(len(body)).encode()))
        headers = headers[1:] if response.status == 204 else headers
        start = h11.Response(status_code=response.status, headers=[*headers, _CLOSE] if close else headers)
        content = self._http.send(start) or b""
        if isinstance(body, bytes):
            if body and self._answers_have_bodies:
                content += self._http.send(h11.Data(data=body)) or b""
            await self._write(content + (self._http.send(h11.EndOfMessage()) or b""))
        else:
            await self._write(content)
            await self._stream(body.parts)

    async def _stream(self, body: AsyncGenerator[bytes, None]) -> None:
        """Send an answer while it is made, until it ends or the client leaves."""
        sending = asyncio.ensure_future(self._send_all(body))
        leaving = asyncio.ensure_future(self._wait_for_end())
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise ConnectionAbortedError
            sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, body: AsyncGenerator[bytes, None]) -> None:
        async for part in body:
            await self._write(self._http.send(h11.Data(data=part)) or b"")
        await self._write(self._http.send(h11.EndOfMessage()) or b"")

    async def _wait_for_end(self) -> None:
        """Return when the client has left, or sends more than the next request's head before this answer's end."""
        kept = 0
        while kept <= self._limits.head_bytes and (data := await self._reader.read(CHUNK)):
            self._http.receive_data(data)
            kept += len(data)

    async def _write(self, content: bytes) -> None:
        self._writer.write(content)
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise

    async def _drain(self) -> None:
        """Read the rest of a body that was refused: closing before its end would tear the answer down as well."""
        if self._http.their_state is h11.DONE:
            return
        left = self._limits.drained_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_seconds):
                while left > 0 and (data := await self._reader.read(CHUNK)):
                    left -= len(data)

    async def _hand_over(self, response: Response) -> None:
        """Give the connection to what the client and the application agreed on in place of HTTP."""
        self._http.next_event()  # the end of the request, after which h11 takes no more
        start = h11.InformationalResponse(status_code=response.status, headers=list(response.headers))
        await self._write(self._http.send(start) or b"")
        first = [self._http.trailing_data[0]]

        async def read() -> bytes:
            return (first.pop() if first else b"") or await self._reader.read(CHUNK)

        if response.upgrade:
            await response.upgrade(message.Connection(read, self._write))


def _not_http(error: h11.RemoteProtocolError) -> ApiError:
    if error.error_status_hint == _HEAD_TOO_LARGE:
        return one(_HEAD_TOO_LARGE, "head-too-large", "the head of the request is too large")
    return one(400, "not-http", f"not HTTP: {error}")
