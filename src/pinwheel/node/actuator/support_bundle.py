# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What support needs to see of a node, as one tar archive that is written while it is read.

Nothing in it holds a secret: settings come as the API shows them, and configuration files with secrets stay out.
What cannot be collected says so in its own place; the rest comes all the same.
"""

import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator

import msgspec

from pinwheel.node import paths as places
from pinwheel.node.actuator.server import Conversation
from pinwheel.node.generations.generation import summary
from pinwheel.node.programs import run
from pinwheel.node.readiness import full_check
from pinwheel.node.status import document
from pinwheel.node.system import System

PROGRAM_SECONDS = 60.0
JOURNAL_LINES = "20000"
_FILES = (
    "/etc/os-release",
    "/proc/meminfo",
    "/proc/mounts",
    "/proc/cmdline",
    "/proc/loadavg",
    "/proc/modules",
    places.MOTD,
)
_PROGRAMS: dict[str, tuple[str, ...]] = {
    "journal.txt": (places.JOURNALCTL, "--boot", "--no-pager", "--output=short-iso-precise", "--lines", JOURNAL_LINES),
    "journal-previous-boot.txt": (
        places.JOURNALCTL, "--boot=-1", "--no-pager", "--output=short-iso-precise", "--lines", "2000",
    ),
    "units.txt": (places.SYSTEMCTL, "list-units", "--all", "--no-pager", "--full"),
    "failed-units.txt": (places.SYSTEMCTL, "list-units", "--failed", "--no-pager", "--full"),
}  # fmt: skip


def stream(system: System, conversation: Conversation) -> None:
    """Hand over the reading end of a pipe, and write the archive into the other.

    Raises:
        OSError: there is no pipe to be had.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        conversation.started([reading])
    finally:
        os.close(reading)
    try:
        with open(writing, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:  # noqa: PTH123
            for name, content in members(system):
                _add(archive, name, content)
    except BrokenPipeError:
        return  # the reader has seen enough


def members(system: System) -> Iterator[tuple[str, bytes]]:
    """Give the files of the archive."""
    yield "status.json", _collected(lambda: _json(document(system.paths, full_check(system.paths))))
    yield "settings.json", _collected(lambda: system.paths.at(places.VIEW).read_bytes())
    yield "generations.json", _collected(lambda: _json([summary(one) for one in system.store.newest_first()]))
    for path in _FILES:
        yield f"files{path}", _collected(lambda path=path: system.paths.at(path).read_bytes())  # type: ignore[misc]
    for path in _rendered(system):
        yield f"files{path}", _collected(lambda path=path: system.paths.at(path).read_bytes())  # type: ignore[misc]
    for name, (program, *arguments) in _PROGRAMS.items():
        yield name, _collected(lambda p=program, a=arguments: _output(system, p, a))  # type: ignore[misc]


def _rendered(system: System) -> Iterator[str]:
    """Give the configuration files without secrets that are there."""
    for service in system.services:
        for path in service.owned:
            if path not in service.secret and not path.endswith("/") and system.paths.at(path).is_file():
                yield path


def _output(system: System, program: str, arguments: list[str]) -> bytes:
    outcome = run(system.paths.at(program), *arguments, seconds=PROGRAM_SECONDS)
    return (outcome.output + outcome.errors).encode()


def _json(value: object) -> bytes:
    return json.dumps(msgspec.to_builtins(value), indent=2).encode() + b"\n"


def _collected(collect: Callable[[], bytes]) -> bytes:
    try:
        return collect()
    except (OSError, ValueError) as error:
        return f"could not be collected: {error}\n".encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(f"pinwheel-support/{name}")
    member.size, member.mtime, member.mode = len(content), int(time.time()), 0o600
    archive.addfile(member, io.BytesIO(content))
