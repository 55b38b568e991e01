# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Images from an OCI image layout on the node: a directory, or a tar archive of one that is read in place.

Format: OCI image specification 1.1, "OCI Image Layout". Archives come with the operating system (`pinwheel
build-host-container`), or were put onto the data partition; what they hold is verified all the same.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from pinwheel.node.containers.oci import MAX_DOCUMENT, Descriptor, ImageError, verified

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_PIECE = 256 * 1024
_INDEX = "index.json"
_MAX_MEMBERS = 10_000


class Part(NamedTuple):
    """A part of a file."""

    file: Path
    offset: int
    size: int


class Archive:
    """The files of an image layout."""

    def __init__(self, path: Path) -> None:
        """Look what is there; raises ImageError when it is no image layout."""
        self._path = path
        self._members: dict[str, Part] = {} if path.is_dir() else _members(path)

    def index(self) -> bytes:
        """Give the list of the images."""
        return self._small(_INDEX)

    def document(self, digest: str) -> bytes:
        """Give a manifest, an index or a configuration; raises ImageError when it is not there, or another one."""
        return verified(self._small(_blob_name(digest)), digest)

    @contextmanager
    def layer(self, descriptor: Descriptor) -> Iterator["Window"]:
        """Give a packed layer to read, after all of it was compared with its digest."""
        part = self._part(_blob_name(descriptor.digest))
        with part.file.open("rb", buffering=0) as file:
            window, digest = Window(file, part.offset, part.size), hashlib.sha256()
            while piece := window.read(_PIECE):
                digest.update(piece)
            if part.size != descriptor.size or f"sha256:{digest.hexdigest()}" != descriptor.digest:
                raise ImageError(f"{self._path} is damaged: {descriptor.digest}")
            yield Window(file, part.offset, part.size)

    def _small(self, name: str) -> bytes:
        part = self._part(name)
        if part.size > MAX_DOCUMENT:
            raise ImageError(f"{self._path}: {name} has more than {MAX_DOCUMENT} bytes")
        with part.file.open("rb") as file:
            file.seek(part.offset)
            return file.read(part.size)

    def _part(self, name: str) -> Part:
        if name in self._members:
            return self._members[name]
        file = self._path / name
        if self._members or not file.is_file():
            raise ImageError(f"{self._path} has no {name}: is it an OCI image layout?")
        return Part(file, 0, file.stat().st_size)


class Window(io.RawIOBase):
    """A part of a file as a file: what readers of streams need."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._left = size
        file.seek(offset)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """Read on, up to the end of the part."""
        view = memoryview(buffer).cast("B")
        content = self._file.read(min(len(view), self._left))
        view[: len(content)] = content
        self._left -= len(content)
        return len(content)


def _members(path: Path) -> dict[str, Part]:
    members: dict[str, Part] = {}
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if member.isreg() and not member.issparse():
                    members[member.name.removeprefix("./")] = Part(path, member.offset_data, member.size)
                if len(members) > _MAX_MEMBERS:
                    raise ImageError(f"{path} has more than {_MAX_MEMBERS} files")
    except FileNotFoundError:
        raise ImageError(f"{path} is not there") from None
    except (OSError, tarfile.TarError, ValueError) as error:
        raise ImageError(f"{path} is no tar archive that can be read: {error!s:.200}") from error
    if not members:
        raise ImageError(f"{path} is empty")
    return members


def _blob_name(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
