# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The machine: how it is, its end, and everything about it in one archive."""

import asyncio
from collections.abc import AsyncGenerator
from io import FileIO

from pinwheel.api.endpoint import TAR
from pinwheel.api.problem import ApiError
from pinwheel.node.api.message import NO_CONTENT, Asked, Response, Stream, answer_json
from pinwheel.node.api.node import ACTUATOR, Node

_CHUNK = 64 * 1024
_TAR_NAME = (b"content-disposition", b'attachment; filename="pinwheel-support.tar"')


async def get_status(node: Node, _asked: Asked) -> Response:
    """How the node is in this moment."""
    from pinwheel.node.actuator.protocol import Status

    return answer_json(await node.ask(Status()))


async def get_containers(node: Node, _asked: Asked) -> Response:
    """The containers that there are."""
    from pinwheel.node.actuator.protocol import ListContainers

    return answer_json(await node.ask(ListContainers()))


async def reboot(node: Node, asked: Asked) -> Response:
    """Restart the machine."""
    from pinwheel.node.actuator.protocol import Author, Reboot

    await node.ask(Reboot(Author(**asked.client.author)))
    return NO_CONTENT


async def poweroff(node: Node, asked: Asked) -> Response:
    """Switch the machine off."""
    from pinwheel.node.actuator.protocol import Author, PowerOff

    await node.ask(PowerOff(Author(**asked.client.author)))
    return NO_CONTENT


async def make_support_bundle(node: Node, asked: Asked) -> Response:
    """A tar archive, sent while the actuator makes it."""
    from pinwheel.node.actuator.client import ActuatorFailed, start
    from pinwheel.node.actuator.protocol import Author, SupportBundle

    await node.take_stream()
    verb = SupportBundle(Author(**asked.client.author))
    try:
        running = await asyncio.to_thread(start, node.paths.at(ACTUATOR), verb)
    except ActuatorFailed as error:
        node.streams.release()
        raise ApiError(error.status, error.message, error.problems) from None
    pipe = open(running.descriptors[0], "rb", buffering=0)  # noqa: PTH123, SIM115 - closed with the answer

    def closing() -> None:
        pipe.close()
        running.close()  # ends the archive's making
        node.streams.release()

    return Response(200, Stream(_passed_on(pipe), closing), TAR, (_TAR_NAME,))


async def _passed_on(pipe: FileIO) -> AsyncGenerator[bytes, None]:
    """Give what comes out of a pipe."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        while part := await reader.read(_CHUNK):
            yield part
    finally:
        transport.close()
