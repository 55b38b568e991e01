# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Put files in place so that a reader sees the old one or the new one, whole."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

DIRECTORY_MODE = 0o755
TEMPORARY = ".new"
"""How the names of files end that are being written; they begin with a dot."""


class RenderedFile(NamedTuple):
    """The content that a file is to have, and its mode."""

    content: bytes
    mode: int = 0o644


def write_atomically(path: Path, content: bytes, mode: int = 0o644, *, group: int | None = None) -> None:
    """Write a file beside its place, to the disk, and rename it. Mode and group hold before anybody else sees it.

    Raises:
        OSError: it could not be written; the old file is as it was.
    """
    path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, opened with flags that Path does not offer
            file.write(content)
            file.flush()
            if group is not None:
                os.fchown(descriptor, -1, group)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_rendered(path: Path) -> RenderedFile | None:
    """Give a file as it is on the disk, or None when there is none; raises OSError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return RenderedFile(file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode))
    except FileNotFoundError:
        return None


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    path.unlink(missing_ok=True)
