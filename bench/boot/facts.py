# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What can be said of an image without booting it, counted the same way for both systems. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ANY_EXECUTE = 0o111
_SETUID = 0o4000


@dataclass(frozen=True)
class ImageFacts:
    """The figures of one image, sizes in bytes."""

    packages: int
    """Debian packages whose files are in the root."""
    executables: int
    """Regular files of the root that somebody may execute, hard links counted each. Shared libraries that are installed
    without execute permission, as Debian's are, do not count."""
    setuid: int
    root_bytes: int
    """What the root takes: blocks in use of an ext4 file system (as df says), or the size of an erofs image."""
    boot_bytes: int
    """Kernel plus initrd, or the unified kernel image."""
    download_bytes: int
    """The raw disk image, compressed by `zstd -10`."""


@dataclass(frozen=True)
class FileCounts:
    """How many files of two kinds there are."""

    executables: int
    setuid: int


def count_files(entries: Iterable[tuple[str, int]]) -> FileCounts:
    """Count among regular files, each given as its path and mode bits."""
    modes = [mode for _, mode in entries]
    return FileCounts(sum(bool(mode & _ANY_EXECUTE) for mode in modes), sum(bool(mode & _SETUID) for mode in modes))


def installed_packages(status: str) -> dict[str, str]:
    """Read name and version of the installed packages out of dpkg's status file (deb-control(5), dpkg-query(1))."""
    packages = {}
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            packages[fields["Package"]] = fields["Version"]
    return packages


def ext4_used_bytes(header: str) -> int:
    """Read the bytes in use out of what `dumpe2fs -h` prints: without tables and journal, as df."""
    fields = {name: int(value) for name, value in re.findall(r"^([A-Z][A-Za-z ]+):\s+(\d+)\b", header, re.MULTILINE)}
    overhead = fields.get("Overhead clusters", 0)
    return (fields["Block count"] - fields["Free blocks"] - overhead) * fields["Block size"]
