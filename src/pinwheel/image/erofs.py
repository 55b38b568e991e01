# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Read what an erofs file system says about its files: owners, modes, capabilities, device numbers, link targets.

Extracting an image shows an ordinary user none of these as they are, and mounting one needs root. The metadata is small
and never compressed, so it is read as it lies on the disk. Layout: fs/erofs/erofs_fs.h of Linux 6.12. Files' contents
may be compressed and are left to `fsck.erofs --extract`.
"""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pinwheel.errors import UsageFault
from pinwheel.image.entries import FileEntry, file_type, parse_capabilities

MAGIC = 0xE0F5E1E2
_SUPERBLOCK = struct.Struct("<I I I B B H Q Q I I I I 16s 16s I")
_SUPERBLOCK_AT = 1024
_SLOT_BYTES = 32
"""Inodes are numbered by slots of this size."""
_COMPACT = struct.Struct("<H H H H I I I I H H I")
_EXTENDED = struct.Struct("<H H H H Q I I I I Q I I 16x")
_DIRENT = struct.Struct("<Q H B B")
_LAYOUT_PLAIN, _LAYOUT_INLINE = 0, 2
_XATTR_HEADER_BYTES = 12
_XATTR_SECURITY = 6
"""The name index that stands for the prefix `security.`."""
_PATH_DEPTH_LIMIT = 256


@dataclass(frozen=True)
class _Inode:
    number: int
    mode: int
    size: int
    uid: int
    gid: int
    union: int
    """First data block, or the device number."""
    layout: int
    xattrs_at: int
    xattrs_size: int

    @property
    def inline_at(self) -> int:
        return self.xattrs_at + self.xattrs_size


def is_erofs(view: memoryview) -> bool:
    """Whether `view` begins like an erofs file system."""
    return bytes(view[_SUPERBLOCK_AT : _SUPERBLOCK_AT + 4]) == MAGIC.to_bytes(4, "little")


class Erofs:
    """The metadata of the erofs file system at the start of `view`.

    Raises:
        UsageFault: it is no erofs file system, or a broken one.
    """

    def __init__(self, view: memoryview) -> None:
        if not is_erofs(view):
            raise _broken("no superblock of an erofs file system")
        self._view = view
        fields = _SUPERBLOCK.unpack_from(view, _SUPERBLOCK_AT)
        (_, _, _, block_bits, _, self._root, self.inodes, _, _, blocks, meta, xattr, _, _, _) = fields
        if not 9 <= block_bits <= 16:
            raise _broken(f"a block size of 2^{block_bits} bytes")
        self._block = 1 << block_bits
        self._meta = meta << block_bits
        self._xattr = xattr << block_bits
        self.size: int = blocks << block_bits
        """How much of its partition the file system takes, in bytes."""
        if self.size > len(view):
            raise _broken(f"cut short: {self.size} bytes are said, {len(view)} are there")

    def entries(self) -> list[FileEntry]:
        """Describe every file but the root directory itself, sorted by path, without contents."""
        try:
            root = self._inode(self._root)
            if not stat.S_ISDIR(root.mode):
                raise _broken("its root is no directory")
            found = list(self._walk(root, "", set()))
        except (struct.error, IndexError, KeyError, UnicodeError) as error:
            raise _broken(str(error)) from error
        return sorted(found, key=lambda entry: entry.path)

    def _walk(self, directory: _Inode, prefix: str, above: set[int]) -> Iterator[FileEntry]:
        if directory.number in above or len(above) > _PATH_DEPTH_LIMIT:
            raise _broken(f"the directory {prefix or '/'} holds itself")
        for name, number in self._names(directory):
            inode = self._inode(number)
            yield self._entry(inode, prefix + name)
            if stat.S_ISDIR(inode.mode):
                yield from self._walk(inode, f"{prefix}{name}/", above | {directory.number})

    def _inode(self, number: int) -> _Inode:
        at = self._meta + number * _SLOT_BYTES
        (form, xattr_count) = struct.unpack_from("<H H", self._view, at)
        layout = form >> 1 & 7
        xattrs_size = _XATTR_HEADER_BYTES + 4 * (xattr_count - 1) if xattr_count else 0
        if form & 1:
            _, _, mode, _, size, union, _, uid, gid, _, _, _ = _EXTENDED.unpack_from(self._view, at)
            return _Inode(number, mode, size, uid, gid, union, layout, at + _EXTENDED.size, xattrs_size)
        _, _, mode, _, size, _, union, _, uid, gid, _ = _COMPACT.unpack_from(self._view, at)
        return _Inode(number, mode, size, uid, gid, union, layout, at + _COMPACT.size, xattrs_size)

    def _entry(self, inode: _Inode, path: str) -> FileEntry:
        kind = file_type(inode.mode)
        return FileEntry(
            path=path,
            type=kind,
            mode=stat.S_IMODE(inode.mode),
            uid=inode.uid,
            gid=inode.gid,
            size=inode.size if kind == "file" else 0,
            target=self._data(inode).decode("utf-8", "surrogateescape") if kind == "symlink" else "",
            capabilities=self._capabilities(inode),
            rdev=_device_numbers(inode.union) if kind in {"character", "block"} else None,
        )

    def _data(self, inode: _Inode) -> bytes:
        """Read a directory's or a link's data: whole blocks, with the rest behind the inode when it is inlined."""
        if inode.layout not in {_LAYOUT_PLAIN, _LAYOUT_INLINE}:
            raise _broken(f"inode {inode.number} has the unexpected data layout {inode.layout}")
        inlined = inode.size % self._block if inode.layout == _LAYOUT_INLINE else 0
        start = inode.union * self._block
        data = bytes(self._view[start : start + inode.size - inlined])
        data += bytes(self._view[inode.inline_at : inode.inline_at + inlined])
        if len(data) != inode.size:
            raise _broken(f"the data of inode {inode.number} lie outside of it")
        return data

    def _names(self, directory: _Inode) -> Iterator[tuple[str, int]]:
        data = self._data(directory)
        for at in range(0, len(data), self._block):
            yield from _names_in_block(data[at : at + self._block])

    def _capabilities(self, inode: _Inode) -> tuple[str, ...]:
        for index, name, value in self._xattrs(inode):
            if index == _XATTR_SECURITY and name == b"capability":
                return parse_capabilities(value)
        return ()

    def _xattrs(self, inode: _Inode) -> Iterator[tuple[int, bytes, bytes]]:
        """Give name index, rest of the name and value of each extended attribute, shared ones first."""
        if not inode.xattrs_size:
            return
        shared = self._view[inode.xattrs_at + 4]
        at = inode.xattrs_at + _XATTR_HEADER_BYTES
        for (identifier,) in struct.iter_unpack("<I", self._view[at : at + 4 * shared]):
            yield self._xattr_at(self._xattr + 4 * identifier)[:3]
        at += 4 * shared
        while at + 4 <= inode.inline_at:
            index, name, value, length = self._xattr_at(at)
            yield index, name, value
            at += length + -length % 4

    def _xattr_at(self, at: int) -> tuple[int, bytes, bytes, int]:
        name_length, index, value_size = struct.unpack_from("<B B H", self._view, at)
        name = bytes(self._view[at + 4 : at + 4 + name_length])
        value = bytes(self._view[at + 4 + name_length : at + 4 + name_length + value_size])
        return index, name, value, 4 + name_length + value_size


def _names_in_block(block: bytes) -> Iterator[tuple[str, int]]:
    """Read one directory block: records first, then the names that they point to."""
    first_name = _DIRENT.unpack_from(block, 0)[1]
    records = [_DIRENT.unpack_from(block, at) for at in range(0, first_name, _DIRENT.size)]
    ends = [record[1] for record in records[1:]] + [len(block)]
    for (number, start, _, _), end in zip(records, ends, strict=True):
        name = block[start:end].split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        if not name or "/" in name:
            raise _broken("a directory with an impossible name in it")
        if name not in {".", ".."}:
            yield name, number


def _device_numbers(encoded: int) -> tuple[int, int]:
    """Take apart a device number as the kernel's new_decode_dev does."""
    return (encoded & 0xFFF00) >> 8, (encoded & 0xFF) | ((encoded >> 12) & 0xFFF00)


def _broken(what: str) -> UsageFault:
    return UsageFault(f"the root file system is broken: {what}", "build the image again, or copy it again")
