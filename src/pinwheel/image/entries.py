# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a file of an image is, apart from where it is read: a directory tree on disk or a file system inside an image.

Rules, inspection and comparison work on lists of these, so each of them is one pure function for both.
"""

import os
import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from pinwheel.image.content import NO_CONTENT, Content, read_content

FileType = Literal["file", "directory", "symlink", "character", "block", "fifo", "socket"]

_TYPES: Mapping[int, FileType] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}

CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""Names by bit, from linux/capability.h."""

_LINKS_LIMIT = 40
"""As many symbolic links as the kernel follows in one path before it says ELOOP (MAXSYMLINKS)."""


@dataclass(frozen=True)
class FileEntry:
    """One file of an image; `path` is relative to the root, without a leading slash. Sizes in bytes."""

    path: str
    type: FileType
    mode: int
    """Permission bits with setuid, setgid and sticky; without the file type."""
    uid: int = 0
    gid: int = 0
    size: int = 0
    target: str = ""
    """Where a symbolic link points to, as it is written."""
    capabilities: tuple[str, ...] = ()
    """File capabilities by name (`cap_net_raw`), whatever set they are in."""
    rdev: tuple[int, int] | None = None
    """Major and minor number of a device node."""
    content: Content = field(default=NO_CONTENT, compare=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_program(self) -> bool:
        """Whether somebody may execute this file."""
        return self.type == "file" and bool(self.mode & 0o111)


def file_type(mode: int) -> FileType:
    """Name the type in a whole `st_mode`."""
    return _TYPES[stat.S_IFMT(mode)]


def parse_capabilities(attribute: bytes) -> tuple[str, ...]:
    """Read the value of `security.capability` (struct vfs_cap_data of linux/capability.h, all revisions)."""
    words = struct.unpack(f"<{len(attribute) // 4}I", attribute[: len(attribute) // 4 * 4])
    permitted_and_inheritable = words[1:5]
    low = high = 0
    for index, word in enumerate(permitted_and_inheritable):
        low, high = (low | word, high) if index < 2 else (low, high | word)
    bits = low | high << 32
    return tuple(f"cap_{_capability_name(bit)}" for bit in range(64) if bits >> bit & 1)


def _capability_name(bit: int) -> str:
    return CAPABILITIES[bit] if bit < len(CAPABILITIES) else str(bit)


def scan(root: Path) -> list[FileEntry]:
    """Describe every file below `root`, which stays unnamed itself, sorted by path. Nothing is followed or changed."""
    return sorted(_walk(root, ""), key=lambda entry: entry.path)


def _walk(directory: Path, prefix: str) -> Iterator[FileEntry]:
    with os.scandir(directory) as found:
        for item in found:
            entry = describe(Path(item.path), prefix + item.name)
            yield entry
            if entry.type == "directory":
                yield from _walk(Path(item.path), f"{entry.path}/")


def describe(file: Path, path: str) -> FileEntry:
    """Describe one file on disk as the image's `path`."""
    status = file.lstat()
    kind = file_type(status.st_mode)
    is_device = kind in {"character", "block"}
    return FileEntry(
        path=path,
        type=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size if kind == "file" else 0,
        target=str(file.readlink()) if kind == "symlink" else "",
        capabilities=_read_capabilities(file) if kind == "file" else (),
        rdev=(os.major(status.st_rdev), os.minor(status.st_rdev)) if is_device else None,
        content=read_content(file) if kind == "file" else NO_CONTENT,
    )


def _read_capabilities(file: Path) -> tuple[str, ...]:
    try:
        return parse_capabilities(os.getxattr(file, "security.capability", follow_symlinks=False))
    except OSError:  # none set, or a file system that knows none
        return ()


class Tree:
    """The files of an image by path, with the image's own idea of where symbolic links lead."""

    def __init__(self, entries: list[FileEntry]) -> None:
        self.entries = entries
        self._by_path = {entry.path: entry for entry in entries}

    def resolve(self, path: str) -> FileEntry | None:
        """Follow all symbolic links of `path` inside the image; None when it leads nowhere."""
        parts = [part for part in PurePosixPath(path).parts if part != "/"][::-1]
        place: list[str] = []
        links = 0
        while parts:
            part = parts.pop()
            if part == "..":
                place = place[:-1]
                continue
            entry = self._by_path.get("/".join([*place, part]))
            if entry is None or links > _LINKS_LIMIT:
                return None
            if entry.type != "symlink":
                place.append(part)
                continue
            links += 1
            place = [] if entry.target.startswith("/") else place
            parts += [step for step in reversed(PurePosixPath(entry.target).parts) if step != "/"]
        return self._by_path.get("/".join(place), FileEntry("", "directory", 0o755) if not place else None)
