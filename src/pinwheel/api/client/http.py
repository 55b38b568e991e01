# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Requests to the API: each on a connection of its own, answered whole or read as it comes."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pinwheel.api.client.failure import ApiFailed, read_failure
from pinwheel.api.client.transport import Transport

ANSWER_TIMEOUT = 600.0
"""Seconds to wait for an answer: what applies settings answers when units have restarted and are healthy again."""
MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that is read whole."""

CHUNK = 64 * 1024
"""Bytes to read at once of what is read piece by piece."""

JSON = "application/json"
Query = Mapping[str, object]
Trace = Callable[[str], None]


class Answer(NamedTuple):
    """An answer that is no error."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever JSON can say
        """Give the body; None where there is none.

        Raises:
            ApiFailed: it is no JSON.
        """
        try:
            return json.loads(self.body) if self.body.strip() else None
        except ValueError as error:
            raise ApiFailed(f"the answer is no JSON: {error}", hint="is this the API of a node?") from error


class _Connection(http.client.HTTPConnection):
    """HTTP on what a transport connects."""

    def __init__(self, transport: Transport, patience: float) -> None:
        super().__init__(transport.host)
        self._transport = transport
        self._patience = patience

    def connect(self) -> None:
        self.sock = self._transport.connect()
        self.sock.settimeout(self._patience)


class Client:
    """One node's API."""

    def __init__(
        self, transport: Transport, trace: Trace = lambda _line: None, patience: float = ANSWER_TIMEOUT
    ) -> None:
        """Take the way to the node.

        Args:
            transport: that way.
            trace: what is to see each request and the status of its answer.
            patience: seconds to wait for an answer, or its next part.
        """
        self.transport = transport
        self._trace = trace
        self._patience = patience

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - whatever JSON can say
        """GET a path and give the JSON; raises ApiFailed."""
        return self.ask("GET", path, query).json()

    def ask(
        self, method: str, path: str, query: Query | None = None, body: bytes | None = None, media: str = JSON
    ) -> Answer:
        """Send a request and read the whole answer.

        Args:
            method: of HTTP.
            path: with or without a query of its own.
            query: further parameters; None, False and what is empty are left out, lists get commas.
            body: of the request.
            media: the type of the body.

        Raises:
            ApiFailed: an error was answered, or nothing.
        """
        with self._open(method, path, query, body, media) as response, _explained(self.transport):
            content = response.read(MAX_ANSWER + 1)
        if len(content) > MAX_ANSWER:
            raise ApiFailed(f"the answer is larger than {MAX_ANSWER // 1024**2} MiB")
        return Answer(response.status, response.headers, content)

    def send(self, method: str, path: str, content: object = None, **query: object) -> Any:  # noqa: ANN401
        """Send JSON and give the JSON that is answered; raises ApiFailed."""
        # Dates of TOML become texts: no setting is one, and the node says where it stands.
        body = None if content is None else json.dumps(content, default=str).encode()
        return self.ask(method, path, query, body).json()

    def lines(self, path: str, query: Query | None = None) -> Iterator[str]:
        """GET a path and give the lines of the answer as they come, for as long as they come; raises ApiFailed."""
        with self._open("GET", path, query) as response:
            _wait_for_ever(response)
            while line := self._next(response.readline):
                yield line.decode(errors="replace").rstrip("\r\n")

    def chunks(self, method: str, path: str) -> Iterator[bytes]:
        """Send a request and give the answer piece by piece; raises ApiFailed."""
        with self._open(method, path) as response:
            while chunk := self._next(lambda: response.read1(CHUNK)):
                yield chunk

    def _next(self, read: Callable[[], bytes]) -> bytes:
        with _explained(self.transport):
            return read()

    @contextmanager
    def _open(
        self, method: str, path: str, query: Query | None = None, body: bytes | None = None, media: str = JSON
    ) -> Iterator[http.client.HTTPResponse]:
        target = target_of(path, query)
        connection = _Connection(self.transport, self._patience)
        try:
            with _explained(self.transport):
                with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before it heard us out
                    connection.request(method, target, body, {"Content-Type": media} if body is not None else {})
                response = connection.getresponse()
                self._trace(f"{method} {target}: {response.status}")
                if response.status >= 400:
                    raise read_failure(response.status, response.reason, response.read(MAX_ANSWER))
            yield response
        finally:
            connection.close()


def target_of(path: str, query: Query | None = None) -> str:
    """Give the request's target: parameters in a query, what no URI may hold percent-encoded."""
    given = {name: _text(value) for name, value in (query or {}).items() if _is_given(value)}
    plain = quote(path if path.startswith("/") else f"/{path}", safe="/?&=%+,:;@!$'()*~.-_[]")
    if not given:
        return plain
    return f"{plain}{'&' if '?' in plain else '?'}{urlencode(given, safe=',:')}"


def _is_given(value: object) -> bool:
    return value is not None and value is not False and value not in ("", (), [])


def _text(value: object) -> str:
    if value is True:
        return "true"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _wait_for_ever(response: http.client.HTTPResponse) -> None:
    # A log may be silent for hours; that the node has gone is TCP's to find out.
    channel = getattr(getattr(response.fp, "raw", None), "_sock", None)
    if isinstance(channel, socket.socket):
        channel.settimeout(None)


@contextmanager
def _explained(transport: Transport) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ApiFailed(f"{transport.host} did not answer in time") from error
    except http.client.HTTPException as error:
        raise ApiFailed(f"{transport.host} did not answer as a node does: {error!r}") from error
    except OSError as error:
        raise ApiFailed(f"the connection to {transport.host} broke: {error}") from error
