# SPDX-License-Identifier: Apache-2.0 OR MIT
"""User data on a small disk: the file `user-data.toml` of a file system labelled PINWHEEL or CIDATA.

The node has no mount program; mount(2) and umount2(2) are called as they are. What is on such a disk is not trusted: it
is mounted read-only without devices, programs or setuid, one regular file is read, and it is unmounted.
"""

import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from pinwheel.node.paths import BOOT_DISK, DISK_MOUNT_POINT, DISKS_BY_LABEL, UDEV_QUEUE, Paths
from pinwheel.node.user_data.source import SourceError, read_limited

LABELS = ("PINWHEEL", "pinwheel", "CIDATA", "cidata")
"""In this order; both cases of a label are in use, as with cloud-init's NoCloud."""
FILE_SYSTEMS = ("vfat", "iso9660")
FILE_NAME = "user-data.toml"
UDEV_SECONDS = 60.0
"""How long to wait until udev has looked at every disk. Boot starts before udev does, so that user data from elsewhere
waits for nothing; its own disk, which every node has, tells when udev has begun with disks."""
_POLL_SECONDS = 0.05
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8


class DiskSource(NamedTuple):
    """A disk with a known label (`UserDataSource`)."""

    paths: Paths
    file_systems: tuple[str, ...] = FILE_SYSTEMS
    name: str = "disk"

    def read(self) -> bytes | None:
        """See `UserDataSource.read`."""
        device = self._device()
        if device is None:
            return None
        mount_point = self.paths.at(DISK_MOUNT_POINT)
        mount_point.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            mount(device, mount_point, self.file_systems)
        except OSError as error:
            raise SourceError(f"the disk {device.name} cannot be mounted: {error.strerror}") from error
        try:
            return _regular_file(mount_point / FILE_NAME)
        finally:
            unmount(mount_point)
            mount_point.rmdir()

    def _device(self) -> Path | None:
        self._wait_for_udev()
        links = (self.paths.at(f"{DISKS_BY_LABEL}/{label}") for label in LABELS)
        return next((link for link in links if link.exists()), None)

    def _wait_for_udev(self) -> None:
        end = time.monotonic() + UDEV_SECONDS
        while not self._udev_is_done() and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)

    def _udev_is_done(self) -> bool:
        return self.paths.at(BOOT_DISK).exists() and not self.paths.at(UDEV_QUEUE).exists()


def mount(device: Path, mount_point: Path, file_systems: tuple[str, ...]) -> None:
    """Mount a block device read-only and harmless, as the first of these types that fits.

    Raises:
        OSError: none does.
    """
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    flags = ctypes.c_ulong(_MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    for kind in file_systems:
        if library.mount(os.fsencode(device), os.fsencode(mount_point), kind.encode(), flags, None) == 0:
            return
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), str(device))


def unmount(mount_point: Path) -> None:
    """Unmount; what is still in use goes away as soon as it no longer is.

    Raises:
        OSError: nothing is mounted there.
    """
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if library.umount2(os.fsencode(mount_point), _MNT_DETACH | _UMOUNT_NOFOLLOW) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(mount_point))


def _regular_file(path: Path) -> bytes:
    """Read a regular file: neither a link out of the disk nor anything that would block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, opened with flags that Path does not offer
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceError(f"{FILE_NAME} on the disk is not a regular file")
            return read_limited(file)
    except FileNotFoundError:
        raise SourceError(f"the disk has no {FILE_NAME}") from None
    except OSError as error:
        raise SourceError(f"{FILE_NAME} on the disk cannot be read: {error.strerror}") from error
