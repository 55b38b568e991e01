# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ask registries for the manifests and layers of an image: mirrors first, then the registry itself.

Protocol: OCI distribution specification 1.1, "Pulling manifests", "Pulling blobs". Nothing that comes is believed
before its digest was compared; a layer goes to the disk piece by piece, and goes on where it was interrupted.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from pinwheel.node.containers.access import Access, Endpoint
from pinwheel.node.containers.http import TRANSIENT, Answer, Http, UnreachableError, read
from pinwheel.node.containers.login import DeniedError, authorization, read_challenge
from pinwheel.node.containers.oci import MANIFEST_TYPES, MAX_DOCUMENT, Descriptor, ImageError, verified
from pinwheel.node.containers.reference import Reference

PIECE = 256 * 1024
_OK, _PARTIAL, _UNAUTHORIZED, _FORBIDDEN = 200, 206, 401, 403

Asked = TypeVar("Asked")


class MissingError(ImageError):
    """The registry does not have it. Trying again gives the same."""


class RegistryImages:
    """The images of one repository, wherever copies of them are."""

    def __init__(self, reference: Reference, access: Access, http: Http) -> None:
        self._reference = reference
        self._access = access
        self._http = http
        self._authorizations: dict[str, str] = {}
        """By an endpoint's URL: the header that it took last."""

    def manifest(self, version: str) -> bytes:
        """Give a manifest or index by its tag or digest.

        Raises:
            ImageError: it is nowhere, nobody lets us in, or it is another one than its digest says.
            UnreachableError: nobody answered.
        """

        def ask(endpoint: Endpoint) -> bytes:
            with self._get(endpoint, f"manifests/{version}", {"Accept": ", ".join(MANIFEST_TYPES)}) as answer:
                content = answer.read(MAX_DOCUMENT + 1)
            return verified(_small(content), version) if ":" in version else _small(content)

        return self._first(ask)

    def document(self, descriptor: Descriptor) -> bytes:
        """Give a small blob, an image's configuration. Raises as `manifest` does."""

        def ask(endpoint: Endpoint) -> bytes:
            with self._get(endpoint, f"blobs/{descriptor.digest}", {}) as answer:
                return verified(_small(answer.read(MAX_DOCUMENT + 1)), descriptor.digest)

        return self._first(ask)

    def fetch(self, descriptor: Descriptor, target: Path) -> None:
        """Fetch a blob into a file; what is there already is taken as the beginning of it.

        Raises:
            ImageError: it is nowhere, or it was another one than its digest says; the file is gone then.
            UnreachableError: the connection ended; the next call goes on from there.
            OSError: the disk is full, or the like.
        """
        self._first(lambda endpoint: self._fetch(endpoint, descriptor, target))

    def _first(self, ask: Callable[[Endpoint], Asked]) -> Asked:
        """Ask one server after the other. When none helps, what the registry itself said clearly counts most."""
        clear: list[ImageError] = []
        last: Exception = UnreachableError("there is no server to ask")
        for endpoint in self._access.endpoints(self._reference.registry):
            try:
                return ask(endpoint)
            except ImageError as error:
                last = error
                clear += [] if endpoint.is_mirror else [error]
            except UnreachableError as error:
                last = error
        raise clear[0] if clear else last

    def _fetch(self, endpoint: Endpoint, descriptor: Descriptor, target: Path) -> None:
        with target.open("a+b") as file:
            file.seek(0)
            digest = hashlib.sha256()
            while piece := file.read(PIECE):
                digest.update(piece)
            resumed = file.tell() > 0
            if file.tell() < descriptor.size:
                self._append(endpoint, descriptor, file, digest)
            complete = file.tell() == descriptor.size
        if not complete or f"sha256:{digest.hexdigest()}" != descriptor.digest:
            target.unlink()
            if resumed:  # another server may have sent the beginning
                self._fetch(endpoint, descriptor, target)
                return
            raise ImageError(f"a layer from {endpoint.url} is not what was asked for: {descriptor.digest}")

    def _append(self, endpoint: Endpoint, descriptor: Descriptor, file: IO[bytes], digest: "hashlib._Hash") -> None:
        start = file.tell()
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._get(endpoint, f"blobs/{descriptor.digest}", headers) as answer:
            if start and answer.status != _PARTIAL:  # it does not resume: the whole blob comes
                skipped = start
                while skipped and (piece := read(answer.body, min(PIECE, skipped))):
                    skipped -= len(piece)
            while (left := descriptor.size - file.tell()) and (piece := read(answer.body, min(PIECE, left))):
                file.write(piece)
                digest.update(piece)
            file.flush()
        if file.tell() < descriptor.size:
            raise UnreachableError(f"{endpoint.url} ended a layer after {file.tell()} of {descriptor.size} bytes")

    @contextmanager
    def _get(self, endpoint: Endpoint, path: str, headers: dict[str, str]) -> Iterator[Answer]:
        """Ask for something of the repository; log in where that is asked for."""
        url = f"{endpoint.url}/v2/{self._reference.name}/{path}"
        known = self._authorizations.get(endpoint.url)
        with self._http.request("GET", url, headers | ({"Authorization": known} if known else {})) as answer:
            if answer.status != _UNAUTHORIZED:
                yield _good(answer, endpoint)
                return
            challenge = answer.headers.get("www-authenticate", "")
        given = self._log_in(endpoint, challenge)
        with self._http.request("GET", url, headers | {"Authorization": given}) as answer:
            yield _good(answer, endpoint)

    def _log_in(self, endpoint: Endpoint, header: str) -> str:
        scheme, _, authority = endpoint.url.partition("://")
        insecure = self._access.is_insecure(authority)
        login, scope = self._access.login(endpoint.registry), f"repository:{self._reference.name}:pull"
        if login and scheme == "http" and not insecure:
            raise DeniedError(f"{endpoint.url} asks for a password, which would be sent in clear")
        given = authorization(self._http, read_challenge(header), login, scope, insecure=insecure)
        self._authorizations[endpoint.url] = given
        return given


def _good(answer: Answer, endpoint: Endpoint) -> Answer:
    """Give the answer if it is a good one; raises what its status means."""
    if answer.status in (_OK, _PARTIAL):
        return answer
    if answer.status in TRANSIENT:
        raise UnreachableError(f"{endpoint.url} answers {answer.status}")
    if answer.status in (_UNAUTHORIZED, _FORBIDDEN):
        raise DeniedError(f"{endpoint.url} does not let us have the image ({answer.status})")
    raise MissingError(f"{endpoint.url} does not have the image ({answer.status})")


def _small(content: bytes) -> bytes:
    if len(content) > MAX_DOCUMENT:
        raise ImageError(f"a document of the image has more than {MAX_DOCUMENT} bytes")
    return content
