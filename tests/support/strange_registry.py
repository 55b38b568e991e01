# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A registry that can do what real ones do on bad days: ask for tokens, send elsewhere, hang up, answer 503, lie.

Everything that the good days need is tried against a real one (`tests.support.registry`).
"""

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.oci_image import INDEX_TYPE, Image
from tests.support.registry import digest

Answer = tuple[int, dict[str, str], bytes]


class StrangeRegistry(http.server.ThreadingHTTPServer):
    """Holds images by `name:tag`; what it does on the way to a good answer is set by tests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manifests: dict[str, bytes] = {}
        """By `name/tag` and `name/digest`."""
        self.blobs: dict[str, bytes] = {}
        self.before: list[Callable[[Any], Answer | None]] = []
        """Asked before anything else; the first that gives an answer is taken."""
        self.hang_up_after: list[int] = []
        """Bytes of a blob after which the connection ends, for the next blobs asked for."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path and headers (names in lower case) of all requests."""
        self.resumes = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""

    @property
    def host(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.server_address[1]}"

    def add(self, name: str, image: Image, *, tag: str = "1") -> str:
        """Take in an image as an index for several machines; gives its reference."""
        index = image.index()
        self.manifests |= {f"{name}/{version}": index for version in (tag, digest(index))}
        self.manifests[f"{name}/{image.digest}"] = image.manifest
        self.blobs |= {digest(blob): blob for blob in image.blobs}
        return f"{self.host}/{name}:{tag}"

    def asked(self, part: str) -> int:
        """Count requests with this in their path."""
        return sum(part in path for path, _ in self.requests)

    def asks_for_token(self, user: str = "", password: str = "") -> None:
        """Let only those in who have been at the login service, which asks for a name and password if one is given."""

        def token(handler: "_Handler") -> Answer | None:
            url = urlsplit(handler.path)
            if url.path == "/token":
                expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
                scope = parse_qs(url.query).get("scope", [""])[0]
                good = not user or handler.headers["Authorization"] == expected
                return (200, {}, json.dumps({"token": f"t-{scope}"}).encode()) if good else (401, {}, b"")
            repository = url.path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0]
            scope = f"repository:{repository}:pull"
            if handler.headers["Authorization"] == f"Bearer t-{scope}":
                return None
            realm = f'Bearer realm="http://{self.host}/token",service="strange",scope="{scope}"'
            return 401, {"WWW-Authenticate": realm}, b"{}"

        self.before.append(token)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: StrangeRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        for before in self.server.before:
            answer = before(self)
            if answer:
                self._send(*answer)
                return
        self._content()

    def _content(self) -> None:
        name, kind, version = self._split()
        if kind == "manifests" and f"{name}/{version}" in self.server.manifests:
            content = self.server.manifests[f"{name}/{version}"]
            media_type: str = json.loads(content).get("mediaType", INDEX_TYPE)
            self._send(200, {"Content-Type": media_type}, content)
        elif kind == "blobs" and version in self.server.blobs:
            self._blob(self.server.blobs[version])
        else:
            self._send(404, {}, b"{}")

    def _split(self) -> tuple[str, str, str]:
        name, _, version = self.path.removeprefix("/v2/").rpartition("/")
        name, _, kind = name.rpartition("/")
        return name, kind, version

    def _blob(self, content: bytes) -> None:
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.resumes else 0
        end = self.server.hang_up_after.pop(0) if self.server.hang_up_after else len(content)
        self._send(206 if start else 200, {}, content[start:], cut=end)

    def _send(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None and cut < len(body):
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def strange_registry() -> Iterator[StrangeRegistry]:
    """Serve on a free port of the loopback interface."""
    with StrangeRegistry() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
