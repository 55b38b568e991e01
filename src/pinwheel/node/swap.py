# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Swap space: mkswap(8), swapon(2) and swapoff(2), without programs for them."""

import os
import struct
from pathlib import Path

_HEADER = struct.Struct("=1024x3I")
"""union swap_header of linux/swap.h: a boot loader's place, version, last page, number of bad pages."""
_MAGIC = b"SWAPSPACE2"
_PREFERRED = 0x8000
"""SWAP_FLAG_PREFER of sys/swap.h: the lower bits are the priority."""


def header(size: int, page: int) -> bytes:
    """Give the first page of a swap space of so many bytes; raises ValueError when it has less than ten pages."""
    if size < 10 * page:
        raise ValueError("too small for swap space")
    front = _HEADER.pack(1, size // page - 1, 0)
    return front.ljust(page - len(_MAGIC), b"\0") + _MAGIC


def make(device: Path, size: int) -> None:
    """Write an empty swap space onto a device; raises OSError, or ValueError when it is too small."""
    with device.open("r+b") as file:
        file.write(header(size, os.sysconf("SC_PAGE_SIZE")))


def switch_on(device: Path, priority: int) -> None:
    """Have the kernel use a swap space; raises OSError when it does not."""
    _call("swapon", device, _PREFERRED | priority)


def switch_off(device: Path) -> None:
    """Have the kernel bring back all that is in a swap space; raises OSError when there is no room for it."""
    _call("swapoff", device)


def _call(function: str, device: Path, *arguments: int) -> None:
    import ctypes  # costs start time

    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(os.fsencode(device), *map(ctypes.c_int, arguments)):
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")
