# SPDX-License-Identifier: Apache-2.0 OR MIT
"""User data from EC2's instance metadata service, version 2 only: a token by PUT, then the document by GET.

docs.aws.amazon.com, "Use the Instance Metadata Service to access instance metadata". Version 1, which asks without a
token, is never tried: requests that a workload can forge are what version 2 is there to stop.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pinwheel.node.paths import DMI, Paths
from pinwheel.node.user_data.source import SourceError
from pinwheel.settings.user_data import MAX_USER_DATA

if TYPE_CHECKING:
    import http.client

EC2_ENDPOINT = "http://169.254.169.254"
_TOKEN_PATH, _USER_DATA_PATH = "/latest/api/token", "/latest/user-data"
_MAX_TOKEN = 1024


class Limits(NamedTuple):
    """How patiently the service is asked; times in seconds."""

    token_lifetime: int = 60
    request: float = 2.0
    """For each wait on the network within a request."""
    total: float = 30.0
    """For all attempts together: the network comes up while this runs."""
    first_pause: float = 0.1
    """Before the second attempt; each further pause is twice as long, up to `longest_pause`."""
    longest_pause: float = 2.0


class _TryAgainError(Exception):
    """Another attempt may go better."""


class ImdsSource(NamedTuple):
    """The metadata service at an endpoint (`UserDataSource`)."""

    endpoint: str = EC2_ENDPOINT
    """`http://HOST[:PORT]`."""
    limits: Limits = Limits()
    name: str = "imds"

    def read(self) -> bytes | None:
        """See `UserDataSource.read`."""
        end, pause = time.monotonic() + self.limits.total, self.limits.first_pause
        while True:
            try:
                return self._attempt(end)
            except _TryAgainError as error:
                if time.monotonic() + pause >= end:
                    raise SourceError(f"the metadata service at {self.endpoint} does not answer: {error}") from error
            time.sleep(pause)
            pause = min(2 * pause, self.limits.longest_pause)

    def _attempt(self, end: float) -> bytes | None:
        lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": str(self.limits.token_lifetime)}
        status, token = self._request("PUT", _TOKEN_PATH, lifetime, end)
        if status == 200 and len(token) <= _MAX_TOKEN:
            header = {"X-aws-ec2-metadata-token": token.decode("ascii", "replace").strip()}
            status, document = self._request("GET", _USER_DATA_PATH, header, end)
            if status == 200:
                return document
            if status == 404:
                return None
        if status in (400, 403, 404, 405):
            raise SourceError(f"the metadata service at {self.endpoint} refuses: HTTP status {status}")
        raise _TryAgainError(f"HTTP status {status}")  # 401: the token ran out; 429, 5xx: it is busy

    def _request(self, method: str, path: str, headers: dict[str, str], end: float) -> tuple[int, bytes]:
        import http.client  # costs start time, and few nodes ask

        try:
            host = self.endpoint.removeprefix("http://").rstrip("/")
            connection = http.client.HTTPConnection(host, timeout=self.limits.request)
        except http.client.InvalidURL as error:
            raise SourceError(f"not an endpoint: {self.endpoint!a:.80}") from error
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, _body(answer, lambda: time.monotonic() < end)
        except (OSError, http.client.HTTPException) as error:
            raise _TryAgainError(str(error) or type(error).__name__) from error
        finally:
            connection.close()


def is_ec2(paths: Paths) -> bool:
    """Say whether the firmware names EC2: Nitro as vendor, Xen in the version of the BIOS."""
    vendor = paths.text(f"{DMI}/sys_vendor")
    return vendor == "Amazon EC2" or "amazon" in paths.text(f"{DMI}/bios_version").lower()


def _body(answer: "http.client.HTTPResponse", has_time: Callable[[], bool]) -> bytes:
    """Read an answer in pieces, so that one that drips cannot hold the boot beyond the limit of all attempts."""
    body = b""
    while len(body) <= MAX_USER_DATA:
        if not has_time():
            raise _TryAgainError("the answer took too long")
        piece = answer.read1(65536)
        if not piece:
            if answer.length:
                raise _TryAgainError("the answer ended early")
            return body
        body += piece
    return body
