# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ask the actuator, from the API service (asyncio) and from small programs of ours that wait."""

import array
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pinwheel.node.actuator.protocol import Done, Failed, Progress, Started, Verb, line, read_answer

SOCKET = "/run/pinwheel/actuator.sock"
MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of one answer line: a hundred generations are far below it."""
MAX_DESCRIPTORS = 2

OnProgress = Callable[[str], None]


class ActuatorFailed(Exception):
    """The actuator refused, or could not do it."""

    def __init__(self, status: int, message: str, problems: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.status = status
        """As of an HTTP answer."""
        self.message = message
        self.problems = problems


async def call(path: str | Path, request: Verb, on_progress: OnProgress = lambda _message: None) -> Any:  # noqa: ANN401
    """Ask for one verb and give its result.

    Raises:
        ActuatorFailed: it was refused or failed; with status 503 when there was no answer at all.
    """
    import asyncio  # whoever calls this has it; whoever waits without it should not pay for it

    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=MAX_ANSWER)
    except OSError as error:
        raise _unavailable(error) from error
    try:
        writer.write(line(request))
        while True:
            found, result = _ended(await reader.readline(), on_progress)
            if found:
                return result
    except OSError as error:
        raise _unavailable(error) from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def call_and_wait(path: str | Path, request: Verb, on_progress: OnProgress = lambda _message: None) -> Any:  # noqa: ANN401
    """Do as `call` does, without asyncio."""
    try:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(str(path))
            channel.sendall(line(request))
            for text in channel.makefile("rb"):
                found, result = _ended(text, on_progress)
                if found:
                    return result
    except OSError as error:
        raise _unavailable(error) from error
    raise _unavailable(EOFError("it hung up"))


class Running(NamedTuple):
    """Something that the actuator started, and that this side now talks to."""

    channel: socket.socket
    """Stays open until the end; closing it ends what runs."""
    descriptors: list[int]

    def wait(self) -> Any:  # noqa: ANN401
        """Wait for the end and give the result; raises ActuatorFailed as `call` does."""
        for text in self.channel.makefile("rb"):
            found, result = _ended(text, lambda _message: None)
            if found:
                return result
        raise _unavailable(EOFError("it hung up"))

    def close(self) -> None:
        """Hang up."""
        self.channel.close()


def start(path: str | Path, request: Verb) -> Running:
    """Ask for a verb that answers with descriptors. It waits: call it in a thread.

    Raises:
        ActuatorFailed: nothing was started.
    """
    channel = socket.socket(socket.AF_UNIX)
    try:
        channel.connect(str(path))
        channel.sendall(line(request))
        return Running(channel, _descriptors(channel))
    except OSError as error:
        channel.close()
        raise _unavailable(error) from error
    except BaseException:
        channel.close()
        raise


def _descriptors(channel: socket.socket) -> list[int]:
    """Read the `Started` line, and no byte more: what follows belongs to `wait`."""
    text, found = b"", array.array("i")
    while not text.endswith(b"\n"):
        data, ancillary, _flags, _address = channel.recvmsg(1, socket.CMSG_SPACE(MAX_DESCRIPTORS * found.itemsize))
        if not data:
            raise _unavailable(EOFError("it hung up"))
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                found.frombytes(content[: len(content) - len(content) % found.itemsize])
        text += data
    answer = read_answer(text)
    if isinstance(answer, Failed):
        raise ActuatorFailed(answer.status, answer.message, answer.problems)
    if not isinstance(answer, Started) or answer.descriptors != len(found):
        raise _unavailable(ValueError("an answer without its descriptors"))
    return list(found)


def _ended(text: bytes, on_progress: OnProgress) -> tuple[bool, Any]:
    if not text:
        raise _unavailable(EOFError("it hung up"))
    answer = read_answer(text)
    if isinstance(answer, Failed):
        raise ActuatorFailed(answer.status, answer.message, answer.problems)
    if isinstance(answer, Progress):
        on_progress(answer.message)
    return (True, answer.result) if isinstance(answer, Done) else (False, None)


def _unavailable(error: Exception) -> ActuatorFailed:
    return ActuatorFailed(503, f"the actuator does not answer: {error}", [])
