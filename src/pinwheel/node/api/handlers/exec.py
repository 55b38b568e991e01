# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run a command in a host container, over a websocket, in Bottlerocket's protocol.

Binary messages are the command's input and output. Text messages are JSON: from the client `{"Initialize": {"command":
[...], "target": NAME, "tty": null | {"size": {"rows": N, "cols": N}}}}` first, then `"ContentComplete"` at the end of
the input, `{"Winch": {"rows": N, "cols": N}}`; to the client `{"Capacity": {...}}`. The reason in the close frame is
the command's exit code. What runs the command is the actuator: it hands over the command's terminal, or its two pipes.
"""

import asyncio
import fcntl
import json
import os
import struct
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from pinwheel.node.api.message import Asked, Connection, Response
from pinwheel.node.api.node import ACTUATOR, Node
from pinwheel.node.api.websocket import Closed, WebSocket, handshake

if TYPE_CHECKING:
    from pinwheel.node.actuator.client import Running

MAX_OUTSTANDING = 1024
"""Messages that a client may send ahead; they wait in the sockets' buffers, not in this process."""
CAPACITY_EVERY = 128
PING_SECONDS = 2.0
DEAD_SECONDS = 10.0
"""Without a sign of life from the client."""
REST_SECONDS = 1.0
"""For output that is still on its way when the command has ended; what it left behind may hold its output open."""
_CHUNK = 32 * 1024
_SET_WINDOW_SIZE = 0x5414
"""TIOCSWINSZ of ioctl_tty(2)."""
_NORMAL, _UNSUPPORTED, _INVALID, _POLICY, _ERROR, _TRY_LATER = 1000, 1003, 1007, 1008, 1011, 1013
_MAX_ARGUMENTS = 1000


async def exec(node: Node, asked: Asked) -> Response:  # noqa: A001 - the endpoint's name
    """Agree on a websocket, and go on with a session on it."""
    headers = handshake(asked.request)

    async def upgrade(connection: Connection) -> None:
        websocket = WebSocket(connection)
        try:
            await _counted(node, websocket, asked.client.author)
        except Closed as end:
            with suppress(ConnectionError, TimeoutError):
                await websocket.close(end.code, end.reason)

    return Response(101, headers=headers, upgrade=upgrade)


async def _counted(node: Node, websocket: WebSocket, author: dict[str, Any]) -> None:
    if node.streams.locked():
        raise Closed(_TRY_LATER, "too many at once")
    async with node.streams:
        await _session(node, websocket, author)


async def _session(node: Node, websocket: WebSocket, author: dict[str, Any]) -> None:
    """Run one command; ends by raising Closed, or what the connection raises."""
    messages = websocket.messages()
    await _send_capacity(websocket, 0)
    try:
        async with asyncio.timeout(DEAD_SECONDS):
            initialize = read_initialize(await anext(messages))
    except TimeoutError:
        raise Closed(_POLICY, "no Initialize message") from None
    running = await _start(node, initialize, author)
    try:
        await _Command(websocket, messages, running, initialize).run()
    finally:
        running.close()


class Initialize(NamedTuple):
    """What a client wants to run."""

    command: list[str]
    target: str
    size: tuple[int, int] | None
    """Rows and columns of the terminal; None for no terminal."""


def read_initialize(message: bytes | str) -> Initialize:
    """Read the first message; raises Closed when it is another."""
    if isinstance(message, bytes):
        raise Closed(_POLICY, "input before Initialize")
    given = _json(message)
    content = given.get("Initialize") if isinstance(given, dict) else None
    if not isinstance(content, dict):
        raise Closed(_POLICY, "the first message must be Initialize")
    command, target, tty = content.get("command"), content.get("target"), content.get("tty")
    if not isinstance(command, list) or not 0 < len(command) <= _MAX_ARGUMENTS or not isinstance(target, str):
        raise Closed(_INVALID, "Initialize needs `command`, a list, and `target`, a text")
    size = _size(tty.get("size")) or (24, 80) if isinstance(tty, dict) else None
    return Initialize([_argument(word) for word in command], target, size)


def _argument(word: Any) -> str:  # noqa: ANN401 - a text, or as Rust writes one of the system: {"Unix": [bytes]}
    if isinstance(word, dict) and list(word) == ["Unix"]:
        try:
            return bytes(word["Unix"]).decode()
        except (TypeError, ValueError):
            raise Closed(_INVALID, "an argument is not UTF-8 text") from None
    if not isinstance(word, str) or "\0" in word:
        raise Closed(_INVALID, "an argument is no text")
    return word


def _size(value: Any) -> tuple[int, int] | None:  # noqa: ANN401 - whatever a client sent
    if not isinstance(value, dict):
        return None
    rows, columns = value.get("rows"), value.get("cols")
    fits = all(type(number) is int and 0 < number < 2**16 for number in (rows, columns))
    return (rows, columns) if fits else None  # type: ignore[return-value]


def _json(text: str) -> Any:  # noqa: ANN401 - whatever a client sent
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Closed(_INVALID, "a text message is not JSON") from None


async def _start(node: Node, wanted: Initialize, author: dict[str, Any]) -> "Running":
    from pinwheel.node.actuator.client import ActuatorFailed, start
    from pinwheel.node.actuator.protocol import Author, Exec

    rows, columns = wanted.size or (24, 80)
    verb = Exec(wanted.target, wanted.command, Author(**author), wanted.size is not None, rows, columns)
    try:
        return await asyncio.to_thread(start, node.paths.at(ACTUATOR), verb)
    except ActuatorFailed as error:
        raise Closed(_ERROR, error.message) from None
    except UnicodeEncodeError:
        raise Closed(_INVALID, "an argument is not UTF-8 text") from None


async def _send_capacity(websocket: WebSocket, written: int) -> None:
    capacity = {"max_messages_outstanding": MAX_OUTSTANDING, "messages_written": written}
    await websocket.send(json.dumps({"Capacity": capacity}))


class _Command:
    """A command that runs, between its descriptors and a websocket."""

    def __init__(
        self,
        websocket: WebSocket,
        messages: AsyncGenerator[bytes | str, None],
        running: "Running",
        wanted: Initialize,
    ) -> None:
        self._websocket = websocket
        self._messages = messages
        self._running = running
        self._terminal = running.descriptors[0] if wanted.size else -1
        self._written = 0
        self._waiting_for_command = False

    async def run(self) -> None:
        """Pass everything on until the command or the client ends; ends by raising Closed."""
        loop = asyncio.get_running_loop()
        source, sink = self._descriptors()
        output = asyncio.StreamReader()
        reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), source)
        protocol = asyncio.streams.FlowControlMixin()
        writing, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        stdin = asyncio.StreamWriter(writing, protocol, None, loop)
        tasks = [asyncio.ensure_future(work) for work in (self._input(stdin), self._until_end(output), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            reading.close()
            if not writing.is_closing():  # the command may have closed its input
                writing.abort()

    def _descriptors(self) -> tuple[Any, Any]:
        """Give the command's output and its input as files; a terminal is both."""
        given = self._running.descriptors
        source = given[1] if len(given) > 1 else os.dup(given[0])
        return os.fdopen(source, "rb", 0), os.fdopen(given[0], "wb", 0)

    async def _input(self, stdin: asyncio.StreamWriter) -> None:
        async for message in self._messages:
            if isinstance(message, str):
                self._control(_json(message), stdin)
            else:
                await self._write(stdin, message)

    def _control(self, message: Any, stdin: asyncio.StreamWriter) -> None:  # noqa: ANN401 - whatever a client sent
        if message == "ContentComplete":
            if self._terminal < 0:  # a terminal's end is a character, which the client sends
                stdin.close()
        elif isinstance(message, dict) and (size := _size(message.get("Winch"))):
            if self._terminal >= 0:
                fcntl.ioctl(self._terminal, _SET_WINDOW_SIZE, struct.pack("4H", *size, 0, 0))
        else:
            raise Closed(_UNSUPPORTED, "no message of this protocol")

    async def _write(self, stdin: asyncio.StreamWriter, data: bytes) -> None:
        if not stdin.is_closing():
            stdin.write(data)
            self._waiting_for_command = True
            with suppress(ConnectionError):  # it has closed its input: what comes is for nobody
                await stdin.drain()
            self._waiting_for_command = False
        self._written += 1
        if self._written % CAPACITY_EVERY == 0:
            await _send_capacity(self._websocket, self._written)

    async def _until_end(self, output: asyncio.StreamReader) -> None:
        sending = asyncio.ensure_future(self._output(output))
        try:
            status = await self._status()
            await asyncio.wait({sending}, timeout=REST_SECONDS)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        raise Closed(_NORMAL, str(status))

    async def _output(self, output: asyncio.StreamReader) -> None:
        with suppress(OSError):  # a terminal that nobody has open any more says EIO
            while part := await output.read(_CHUNK):
                await self._websocket.send(part)

    async def _status(self) -> int:
        """Wait for the command's end."""
        from pinwheel.node.actuator.protocol import Done, Failed, read_answer

        self._running.channel.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=self._running.channel)
        try:
            line = await reader.readline()
        finally:
            writer.close()
        answer = read_answer(line) if line else None
        if isinstance(answer, Done):
            return int(answer.result)
        raise Closed(_ERROR, answer.message if isinstance(answer, Failed) else "the actuator hung up")

    async def _watch(self) -> None:
        """Ping, and give up a client that is silent; one that waits for the command cannot be heard."""
        loop = asyncio.get_running_loop()
        while self._waiting_for_command or loop.time() - self._websocket.heard < DEAD_SECONDS:
            await self._websocket.ping()
            await asyncio.sleep(PING_SECONDS)
        raise Closed(_POLICY, "no sign of life")
