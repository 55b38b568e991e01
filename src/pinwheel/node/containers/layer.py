# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Apply one layer of an image to the root of the process: a tar archive of unknown origin, read as a stream.

Runs in a process that has the target as its root and next to no privilege (`pinwheel.node.containers.confine`): a link
that points out of the image points nowhere. What is refused here is refused by rule, not because it could do harm.
Format: OCI image specification 1.1, "Image Layer Filesystem Changeset"; tar(5), with pax headers.
"""

import gzip
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple

from pinwheel.node.containers.oci import ImageError

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_BLOCK = 256 * 1024
_XATTR = "SCHILY.xattr."
_KEPT_XATTRS = ("security.capability", "user.")
"""Others mean something to the file system below (`trusted.overlay.*`), or to a security module."""
_MAX_DEPTH = 256
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Limits(NamedTuple):
    """What an image may take when it is unpacked."""

    size: int = 8 * 1024**3
    """Bytes of all files."""
    entries: int = 400_000


class Usage(NamedTuple):
    """What has been unpacked so far, of all layers."""

    size: int = 0
    entries: int = 0
    devices: int = 0
    """Device nodes, which are left out: what a container needs in /dev, the runtime makes."""


def apply_layer(packed: IO[bytes], limits: Limits, used: Usage = Usage(), root: str = "/") -> Usage:
    """Unpack a layer over what is there already.

    Args:
        packed: the layer: plain, or compressed with gzip.
        limits: for all layers together.
        used: what the layers before took.
        root: where to; anything else than the root of the process is for layers that are known.

    Raises:
        ImageError: the layer is not what a layer may be.
        OSError: the disk is full, or the like.
    """
    target = _Target(root, limits, used)
    try:
        with tarfile.open(fileobj=_unpacked(packed), mode="r|", errorlevel=2) as archive:
            for member in archive:
                target.add(member, archive)
                archive.members = []  # type: ignore[attr-defined]  # or it would keep them all
    except (
        tarfile.TarError,
        EOFError,
        gzip.BadGzipFile,
        UnicodeError,
        OverflowError,
        ValueError,
        _zlib_error(),
    ) as error:
        raise ImageError(f"a layer is not a tar archive that can be read: {error!s:.200}") from error
    except MemoryError:
        raise ImageError("a layer has headers that do not fit into memory") from None
    target.finish()
    return target.used


class _Target:
    """The tree that is being made."""

    def __init__(self, root: str, limits: Limits, used: Usage) -> None:
        self._root = root.rstrip("/")
        self._limits = limits
        self.used = used
        self._added: set[str] = set()
        """What this layer has brought, and the directories above: a whiteout takes away what is below it only."""
        self._times: dict[str, float] = {}
        """Of directories, which change while they are filled."""
        self._make: dict[bytes, Callable[[str, tarfile.TarInfo, tarfile.TarFile], None]] = {
            tarfile.DIRTYPE: self._directory,
            tarfile.SYMTYPE: self._symlink,
            tarfile.LNKTYPE: self._link,
            tarfile.FIFOTYPE: self._fifo,
        }

    def add(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Make what one entry of the archive describes."""
        self._count(member)
        name = _clean(member.name)
        directory, _, last = name.rpartition("/")
        if last.startswith(_WHITEOUT):
            self._remove_lower(directory, last)
        elif member.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            self.used = self.used._replace(devices=self.used.devices + 1)
        else:
            self._put(name, member, archive)

    def finish(self) -> None:
        """Set what could not be set before everything was there."""
        for path, modified in self._times.items():
            with suppress(OSError):
                os.utime(path, (modified, modified), follow_symlinks=False)

    def _count(self, member: tarfile.TarInfo) -> None:
        size, entries = self.used.size + member.size, self.used.entries + 1
        if size > self._limits.size or entries > self._limits.entries:
            raise ImageError(
                f"the image is too large: more than {self._limits.size // 10**6} MB or {self._limits.entries} files"
            )
        self.used = self.used._replace(size=size, entries=entries)

    def _put(self, name: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        path = f"{self._root}/{name}"
        self._make_parents(name)
        self._make_room(path, member)
        self._make.get(member.type, self._file)(path, member, archive)
        self._note(name)
        if member.type != tarfile.LNKTYPE:
            self._describe(path, member)

    def _note(self, name: str) -> None:
        while name and name not in self._added:
            self._added.add(name)
            name = name.rpartition("/")[0]

    def _make_parents(self, name: str) -> None:
        directory = os.path.dirname(f"{self._root}/{name}")  # noqa: PTH120 - a thousand times a second
        os.makedirs(directory, mode=0o755, exist_ok=True)  # noqa: PTH103

    @staticmethod
    def _make_room(path: str, member: tarfile.TarInfo) -> None:
        """Take away what is in the way; a directory stays where a directory comes."""
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            os.unlink(path)  # noqa: PTH108
        elif not member.isdir():
            shutil.rmtree(path)

    def _directory(self, path: str, member: tarfile.TarInfo, _archive: tarfile.TarFile) -> None:
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)  # noqa: PTH102
        self._times[path] = member.mtime

    @staticmethod
    def _symlink(path: str, member: tarfile.TarInfo, _archive: tarfile.TarFile) -> None:
        os.symlink(member.linkname, path)  # noqa: PTH211

    def _link(self, path: str, member: tarfile.TarInfo, _archive: tarfile.TarFile) -> None:
        os.link(f"{self._root}/{_clean(member.linkname)}", path, follow_symlinks=False)

    @staticmethod
    def _fifo(path: str, _member: tarfile.TarInfo, _archive: tarfile.TarFile) -> None:
        os.mkfifo(path, 0o600)

    @staticmethod
    def _file(path: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        content = archive.extractfile(member)
        if content is None:
            raise ImageError(f"a layer has an entry of an unknown type: {member.name!a:.100}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123
            shutil.copyfileobj(content, file, _BLOCK)

    @staticmethod
    def _describe(path: str, member: tarfile.TarInfo) -> None:
        """Give a file its owner, then its mode (a change of owner clears setuid), then attributes and time."""
        os.chown(path, member.uid, member.gid, follow_symlinks=False)
        if not member.issym():
            os.chmod(path, stat.S_IMODE(member.mode))  # noqa: PTH101
            for name, value in _xattrs(member.pax_headers):
                os.setxattr(path, name, value, follow_symlinks=False)
        with suppress(OSError, OverflowError):
            os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)

    def _remove_lower(self, directory: str, last: str) -> None:
        """Do as a whiteout says: remove one file, or all that is in a directory, of the layers before."""
        names = self._children(f"{self._root}/{directory}") if last == _OPAQUE else [last.removeprefix(_WHITEOUT)]
        for name in names:
            if name in ("", ".", ".."):
                raise ImageError("a layer takes away what is no file")
            self._remove_tree(f"{directory}/{name}".lstrip("/"))

    def _remove_tree(self, name: str) -> None:
        """Remove what the layers before have at a place, and leave what this one has brought there."""
        path = f"{self._root}/{name}"
        if name in self._added:
            for child in self._children(path):
                self._remove_tree(f"{name}/{child}")
            return
        with suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISDIR(os.lstat(path).st_mode):
                shutil.rmtree(path)
            else:
                os.unlink(path)  # noqa: PTH108

    @staticmethod
    def _children(path: str) -> list[str]:
        try:
            return os.listdir(path) if stat.S_ISDIR(os.lstat(path).st_mode) else []  # noqa: PTH208
        except FileNotFoundError:
            return []


def _clean(name: str) -> str:
    """Give a name of an archive relative to the root, without `.`; `..` has no meaning in a layer."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".")]
    if ".." in parts or "\0" in name:
        raise ImageError(f"a layer has a name that leads out of the image: {name!a:.100}")
    if len(parts) > _MAX_DEPTH:
        raise ImageError(f"a layer has a file that is more than {_MAX_DEPTH} directories deep")
    return "/".join(parts)


def _xattrs(headers: Any) -> Iterator[tuple[str, bytes]]:  # noqa: ANN401 - a mapping of texts
    for key, value in headers.items():
        name = key.removeprefix(_XATTR)
        if name != key and name.startswith(_KEPT_XATTRS):
            yield name, value.encode("utf-8", "surrogateescape")


def _unpacked(packed: IO[bytes]) -> IO[bytes]:
    """Give the plain archive; how a layer is packed, its first bytes say."""
    reader = io.BufferedReader(packed, _BLOCK)  # type: ignore[type-var]
    start = reader.peek(4)[:4]
    if start.startswith(_ZSTD):
        raise ImageError("a layer is compressed with zstd, which this system cannot read: push the image with gzip")
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=reader, mode="rb")  # type: ignore[return-value]
    return reader


def _zlib_error() -> type[Exception]:
    import zlib

    return zlib.error
