# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A machine's own disk: a sparse copy of an image, sharing the image's blocks where the file system can."""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pinwheel.errors import UsageFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.progress import Step

EXTERNAL_DATA_LABEL = "pinwheel-external-data"
"""The partition label that os/generators/data-disk.c looks for."""

_FICLONE = 0x40049409
"""ioctl_ficlone(2): _IOW(0x94, 9, int)."""
_CHUNK = 16 * 1024**2
_GPT_OFFSET, _GPT_MAGIC = 512, b"EFI PART"
_QCOW2_MAGIC = b"QFI\xfb"


def make_disk(image: Path, target: Path, size: int, toolbox: Toolbox, step: Step) -> None:
    """Make `target` a raw disk of `size` bytes that begins with the image (raw or qcow2).

    Raises:
        UsageFault: the image is none, or larger than `size`.
    """
    if _read(image, 0, 4) == _QCOW2_MAGIC:
        command: list[str | Path] = ["qemu-img", "convert", "-O", "raw", image, target]
        toolbox.run(command, readable=[image], writable=[target.parent])
    else:
        copy_sparse(image, target, step)
    if _read(target, _GPT_OFFSET, len(_GPT_MAGIC)) != _GPT_MAGIC:
        raise UsageFault(f"{image} is not a disk image", "give the .raw or .qcow2 file that `pinwheel build` wrote")
    _grow(image, target, size)


def make_data_disk(target: Path, size: int, toolbox: Toolbox) -> None:
    """Make a disk for the node's data: one empty partition with the label by which the node knows it."""
    with target.open("xb") as file:
        file.truncate(size)
    script = f"label: gpt\ntype=linux, name={EXTERNAL_DATA_LABEL}\n"
    toolbox.run(["sfdisk", "--quiet", target], writable=[target], input=script.encode())


def copy_sparse(source: Path, target: Path, step: Step) -> None:
    """Copy a file with its holes; by reference where the file system offers that (btrfs, XFS)."""
    with source.open("rb") as old, target.open("xb") as new:
        if _clone(old.fileno(), new.fileno()):
            return
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        extents = list(_data_extents(old.fileno(), size))
        step.total(sum(end - start for start, end in extents))
        for start, end in extents:
            for offset in range(start, end, _CHUNK):
                _copy_range(old.fileno(), new.fileno(), offset, min(offset + _CHUNK, end))
                step.advance(min(_CHUNK, end - offset))


def _clone(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _data_extents(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole from here on
                return
            raise
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end


def _copy_range(source: int, target: int, start: int, end: int) -> None:
    os.lseek(target, start, os.SEEK_SET)
    while start < end:
        start += os.sendfile(target, source, start, end - start)


def _grow(image: Path, target: Path, size: int) -> None:
    smallest = target.stat().st_size
    if size < smallest:
        needed = -(-smallest // 1024**2)
        raise UsageFault(
            f"a disk of {size // 1024**2} MiB is too small: {image.name} alone has {needed} MiB",
            f"give --disk-size {needed + 1024}M or more",
        )
    os.truncate(target, size)


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
