# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Requests and answers, as the handlers see them."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, NamedTuple

from pinwheel.api.endpoint import JSON, Endpoint
from pinwheel.node.api.peer import Client

Header = tuple[bytes, bytes]

GENERATION_HEADER = b"x-pinwheel-generation"


class Response(NamedTuple):
    """An answer."""

    status: int
    body: "bytes | Stream" = b""
    media: str = JSON
    headers: tuple[Header, ...] = ()
    upgrade: "Upgrade | None" = None
    """What takes the connection over, in the place of an answer."""


class Stream:
    """The body of an answer that is sent while it is made. Whoever sends it closes it, read or not."""

    def __init__(self, parts: AsyncGenerator[bytes, None], closing: Callable[[], None]) -> None:
        """Take the parts.

        Args:
            parts: give the body.
            closing: called once, at the end.
        """
        self.parts = parts
        self._closing: Callable[[], None] | None = closing

    async def close(self) -> None:
        """End it."""
        closing, self._closing = self._closing, None
        try:
            await self.parts.aclose()
        finally:
            if closing:
                closing()


class Connection(NamedTuple):
    """What an upgrade gets of the connection."""

    read: Callable[[], Awaitable[bytes]]
    """Gives the next bytes; none at the end."""
    write: Callable[[bytes], Awaitable[None]]
    """Raises ConnectionError when the client does not read, or is gone."""


Upgrade = Callable[[Connection], Awaitable[None]]


class Request(NamedTuple):
    """A request whose head has arrived."""

    method: str
    target: str
    headers: tuple[Header, ...]
    """Names in small letters."""
    client: Client
    read_body: Callable[[], Awaitable[bytes]]
    """Raises ApiError when the body is too large or too slow."""

    def header(self, name: bytes) -> str:
        """Give a header's value; empty without one."""
        return next((value.decode("latin-1") for given, value in self.headers if given == name), "")


class Asked(NamedTuple):
    """A request that was found in the table, with what its parameters mean."""

    endpoint: Endpoint
    request: Request
    numbers: dict[str, int]
    """Those in the path."""
    parameters: dict[str, Any]
    """All that the endpoint declares: None for one that was not given and has no default."""

    @property
    def client(self) -> Client:
        """Who asks."""
        return self.request.client


def answer_json(value: Any, status: int = 200, headers: tuple[Header, ...] = ()) -> Response:  # noqa: ANN401
    """Give an answer in JSON."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode() + b"\n", headers=headers)


def generation_header(number: int) -> tuple[Header, ...]:
    """Give the header that says which generation an answer is about."""
    return ((GENERATION_HEADER, str(number).encode()),)


NO_CONTENT = Response(204)
