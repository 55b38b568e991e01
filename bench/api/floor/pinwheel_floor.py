# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The floors: what the same launcher can do at best. Compiled and started as the node's services are."""

import socket
from typing import Any

BODY = b'{"hello":"world"}\n'


def nothing() -> None:
    """Start, and do nothing."""


def hello() -> None:
    """Answer every request with a few bytes, on the socket that systemd would pass."""
    from uvicorn.config import Config
    from uvicorn.server import Server

    config = Config(
        _application, http="h11", loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False
    )
    Server(config).run(sockets=[socket.socket(fileno=3)])


async def _application(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
