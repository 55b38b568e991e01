# SPDX-License-Identifier: Apache-2.0 OR MIT
"""One HTTP request to a registry, or to whom it sends us: proxies, TLS, redirects. Answers are read in pieces."""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from pinwheel.node.containers.access import Access, Proxy

if TYPE_CHECKING:
    from ssl import SSLContext

SECONDS = 30.0
"""How long a server may be silent."""
MAX_REDIRECTS = 5
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be others in a while."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


class UnreachableError(Exception):
    """A server could not be asked, or did not answer to the end. It may later."""


class Answer(NamedTuple):
    """The answer to a request; its body is read from `body`."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: http.client.HTTPResponse
    url: str
    """Whose answer it is, after redirects."""

    def read(self, limit: int) -> bytes:
        """Give the body, cut off behind `limit` bytes."""
        return read(self.body, limit)


class Http:
    """Makes requests the way that the settings say."""

    def __init__(self, access: Access, context: "Callable[[], SSLContext]", seconds: float = SECONDS) -> None:
        """Take what there is to know.

        Args:
            access: how servers are reached.
            context: gives what their certificates are checked by.
            seconds: how long a server may be silent.
        """
        self._access = access
        self._context = context
        self._seconds = seconds

    @contextmanager
    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Iterator[Answer]:
        """Make a request, follow where it leads, and give the answer.

        Credentials are for the host that was asked: whom it sends us to gets none, and plain HTTP is no place to be
        sent to from TLS.

        Raises:
            UnreachableError: there was no answer.
        """
        for _ in range(MAX_REDIRECTS + 1):
            connection = self._connect(url)
            try:
                answer = self._ask(connection, method, url, headers, body)
                if method != "GET" or answer.status not in _MOVED or "location" not in answer.headers:
                    yield answer
                    return
                url, headers = self._follow(url, answer.headers["location"], headers)
            finally:
                connection.close()
        raise UnreachableError(f"{_authority(url)} sends us around in a circle")

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        given = {"User-Agent": "pinwheel", "Host": parts.netloc, **headers}
        proxy = self._access.proxy(parts.scheme, parts.netloc)
        if proxy and parts.scheme == "http":
            path = f"http://{parts.netloc}{path}"
            given |= {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        with as_unreachable(url):
            connection.request(method, path, body, given)
            response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response, url)

    def _follow(self, url: str, location: str, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        target = urljoin(url, location)
        before, after = urlsplit(url), urlsplit(target)
        if after.scheme not in _PORTS or (before.scheme == "https" and after.scheme == "http"):
            raise UnreachableError(f"{before.netloc} sends us to {target!a:.200}, which is not safe")
        if before.netloc != after.netloc:
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        return target, headers

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        try:
            host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise UnreachableError(f"not the address of a server: {url!a:.200}") from None
        proxy = self._access.proxy(parts.scheme, parts.netloc)
        there = (proxy.host, proxy.port) if proxy else (host, port)
        if parts.scheme == "http":
            return http.client.HTTPConnection(*there, timeout=self._seconds)
        with as_unreachable(url):
            return self._secure(there, (host, port), parts.netloc, proxy)

    def _secure(
        self, there: tuple[str, int], target: tuple[str, int], authority: str, proxy: Proxy | None
    ) -> http.client.HTTPSConnection:
        context = self._context()
        if self._access.is_insecure(authority):
            context.check_hostname = False
            context.verify_mode = 0  # type: ignore[assignment]  # ssl.CERT_NONE, without importing ssl here
        connection = http.client.HTTPSConnection(*there, timeout=self._seconds, context=context)
        if proxy:
            headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
            connection.set_tunnel(*target, headers)
        return connection


@contextmanager
def as_unreachable(url: str) -> Iterator[None]:
    """Turn all that can go wrong on the way into UnreachableError."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        words = str(error) or type(error).__name__
        raise UnreachableError(f"{_authority(url)} cannot be reached: {words:.300}") from error


def read(body: http.client.HTTPResponse, limit: int) -> bytes:
    """Read up to so many bytes of a body; raises UnreachableError when it ends before its end."""
    with as_unreachable(""):
        return body.read(limit)


def _authority(url: Any) -> str:  # noqa: ANN401 - as urlsplit takes it
    return urlsplit(url).netloc or "the server"
