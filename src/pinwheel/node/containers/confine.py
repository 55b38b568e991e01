# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Do work on what a stranger wrote in a process that has a directory as its whole world, and next to no privilege.

The process is forked, takes the directory as its root before it reads the first byte, gives up every capability but
those for making files of any owner, and may use a bounded amount of memory.
"""

import ctypes
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pinwheel.node.containers.oci import ImageError

MEMORY = 256 * 1024 * 1024
"""Bytes of address space beyond what the process has: unpacking takes a tenth; headers can ask for any amount."""
OPEN_FILES = 1024
"""Removing a tree keeps each directory open on the way down."""
_KEPT = (0, 1, 3, 4, 31)
"""linux/capability.h: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETFCAP."""
_HEADER_VERSION_3 = 0x20080522
_SET_NO_NEW_PRIVILEGES, _DROP_FROM_BOUNDING_SET = 38, 24
"""linux/prctl.h."""
_LAST_CAPABILITY = 63
_MAX_ANSWER = 64 * 1024


class _Answer(NamedTuple):
    """What the process sends when it is done."""

    result: Any = None
    refused: str = ""
    """The words of an ImageError."""
    failed: str = ""


def run_below(root: Path, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what JSON can say
    """Run a function with a directory as its root; what it needs must be imported and open by then.

    Args:
        root: the directory.
        work: gives something that JSON can say. Runs in another process: what it changes in memory is lost.

    Raises:
        ImageError: `work` raised it.
        OSError: anything else that went wrong there.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_child(root, work, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a descriptor
        said = pipe.read(_MAX_ANSWER)
    _, status = os.waitpid(child, 0)
    return _result(said, os.waitstatus_to_exitcode(status))


def _result(said: bytes, exit_code: int) -> Any:  # noqa: ANN401
    try:
        answer = _Answer(*json.loads(said))
    except (ValueError, TypeError):
        raise OSError(f"the process that unpacks ended with {exit_code}, and without an answer") from None
    if answer.refused:
        raise ImageError(answer.refused)
    if answer.failed:
        raise OSError(answer.failed)
    return answer.result


def _be_child(root: Path, work: Callable[[], Any], writing: int) -> NoReturn:
    try:
        _confine(root)
        answer = _Answer(result=work())
    except ImageError as error:
        answer = _Answer(refused=str(error) or "refused")
    except MemoryError:
        answer = _Answer(refused="unpacking takes more memory than it may")
    except BaseException as error:  # noqa: BLE001 - there is nobody else to see it
        answer = _Answer(failed=f"{type(error).__name__}: {error!s:.500}")
    os.write(writing, json.dumps(answer).encode("ascii"))
    os._exit(0)


def _confine(root: Path) -> None:
    memory = MEMORY + int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    os.chroot(root)
    os.chdir("/")
    _drop_capabilities()


def _drop_capabilities() -> None:
    """Give up all capabilities but `_KEPT` for good: capabilities(7), prctl(2)."""
    library = ctypes.CDLL(None, use_errno=True)
    for number in range(_LAST_CAPABILITY + 1):
        if number not in _KEPT:
            library.prctl(_DROP_FROM_BOUNDING_SET, number, 0, 0, 0)  # fails for numbers that the kernel does not know
    _checked(library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    kept = sum(1 << number for number in _KEPT)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    header = (ctypes.c_uint32 * 2)(_HEADER_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)  # effective, permitted, inheritable; twice 32 bits
    _checked(library.capset(header, data))


def _checked(outcome: int) -> None:
    if outcome != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
