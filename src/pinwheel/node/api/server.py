# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The listening side: takes connections from systemd's sockets, counts them, leaves when there are none for long."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from pinwheel.api.problem import one
from pinwheel.node.api.connection import Application, Connection
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.peer import Client, local_client, remote_client

if TYPE_CHECKING:
    from ssl import SSLContext

_CLOSING_SECONDS = 2.0
_LOOK_SECONDS = 0.02


class Server:
    """Serves an application on sockets that listen already."""

    def __init__(self, application: Application, limits: Limits) -> None:
        self._application = application
        self._limits = limits
        self._clients: Counter[str] = Counter()
        self._connections: set[Connection] = set()
        self._quiet = asyncio.Event()
        self._stopped = False

    def stop(self) -> None:
        """Have `serve` return when what has been asked is answered; what has no end is broken off."""
        self._stopped = True
        self._quiet.set()

    async def serve(self, listeners: list[socket.socket], tls: "SSLContext | None" = None) -> None:
        """Serve until there was no connection for as long as the limits say, or until it is stopped.

        Args:
            listeners: unix sockets, and with `tls` sockets of TCP.
            tls: what a client over TCP has to satisfy; no such client is served without.
        """
        servers = [await self._listen(listener, tls) for listener in listeners]
        try:
            await self._until_idle()
        finally:
            for server in servers:
                server.close()
        await self._finish()

    async def _listen(self, listener: socket.socket, tls: "SSLContext | None") -> asyncio.Server:
        listener.setblocking(False)
        if listener.family == socket.AF_UNIX:
            return await asyncio.start_server(self._accept_local, sock=listener)
        if tls is None:
            raise ValueError("a socket of TCP, and no certificate to serve with")

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._accept_remote(reader, writer, tls)

        return await asyncio.start_server(accept, sock=listener)

    async def _until_idle(self) -> None:
        while True:
            self._quiet.clear()
            if self._stopped:
                return
            try:
                async with asyncio.timeout(self._limits.leave_after_seconds):
                    await self._quiet.wait()  # set by each connection, at its start and at its end
            except TimeoutError:
                if not self._clients.total():
                    return

    async def _finish(self) -> None:
        """Let the last answers go out: one is likely that to the request which ends this process, a reboot."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.finish_seconds):
                while any(connection.owes_answer for connection in self._connections):
                    await asyncio.sleep(_LOOK_SECONDS)

    async def _accept_local(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            client = local_client(writer.get_extra_info("socket"))
        except OSError:  # gone already
            writer.transport.abort()
            return
        async with self._counted(client.key, writer) as taken:
            if taken:
                await self._serve(client, reader, writer)
            else:
                _refuse(writer)

    async def _accept_remote(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: "SSLContext"
    ) -> None:
        """Shake hands, and serve. What has not shown its certificate yet is counted as well."""
        address = str((writer.get_extra_info("peername") or [""])[0])
        async with self._counted(address, writer) as taken:
            if not taken:
                return
            try:
                # No await before this one: the greeting must not be read by anybody else.
                await writer.start_tls(tls, ssl_handshake_timeout=self._limits.handshake_seconds)
                shown = writer.get_extra_info("ssl_object")
                client = remote_client(shown.getpeercert(), shown.getpeercert(binary_form=True), address)
            except OSError:  # ssl.SSLError is one, and so is ConnectionError
                writer.transport.abort()
                return
            await self._serve(client, reader, writer)

    @asynccontextmanager
    async def _counted(self, key: str, writer: asyncio.StreamWriter) -> AsyncIterator[bool]:
        """Count a connection while it is there; say whether there is room for it."""
        self._quiet.set()
        self._clients[key] += 1
        try:
            yield (
                self._clients.total() <= self._limits.connections
                and self._clients[key] <= self._limits.connections_of_one
            )
        finally:
            await _close(writer)
            self._clients[key] -= 1
            self._clients += Counter()  # forgets those without any
            self._quiet.set()

    async def _serve(self, client: Client, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, client, self._application, self._limits)
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.remove(connection)


def _refuse(writer: asyncio.StreamWriter) -> None:
    body = one(429, "too-many", "too many connections at once").body
    head = (
        f"HTTP/1.1 429 \r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close, and do not wait for long for a client that does not read."""
    if writer.transport.is_closing():  # torn down already
        return
    writer.close()
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            with suppress(OSError):
                await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()
