# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Run a command in a host container that runs, and hand its terminal or its two pipes to the caller.

runc leaves as soon as the command runs. The command becomes a child of this process, which is its subreaper (prctl(2)),
so its exit status is not lost; and what the caller holds is the container's own terminal, with nothing in between.
"""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.paths import Paths
from pinwheel.node.programs import SEARCH_PATH

START_SECONDS = 30.0
"""How long runc may take to start a command: a tenth of a second on hardware."""
_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h."""
_NAME = re.compile(r"[a-zA-Z0-9-]{1,76}")


class NotRunningError(Exception):
    """There is no such container, or it does not run."""


class ExecError(Exception):
    """The command could not be started."""


class Terminal(NamedTuple):
    """The size of a terminal."""

    rows: int = 24
    columns: int = 80


class Session:
    """A command that runs. The descriptors are the caller's to close or to pass on."""

    def __init__(self, pid: int, descriptors: list[int]) -> None:
        self.pid = pid
        self.descriptors = descriptors
        """Its terminal; or what it reads, and what it writes, standard error included."""
        self._process = os.pidfd_open(pid)
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the command if it still runs."""
        if self._status is None:
            self.kill()
            self.wait()
        os.close(self._process)

    def fileno(self) -> int:
        """Give a descriptor that is readable when the command has ended (pidfd_open(2))."""
        return self._process

    def wait(self) -> int:
        """Wait for the end and give the exit status; 128 and the signal's number when a signal ended it."""
        if self._status is None:
            end = os.waitid(os.P_PIDFD, self._process, os.WEXITED)
            assert end is not None
            self._status = end.si_status if end.si_code == os.CLD_EXITED else 128 + end.si_status
        return self._status

    def kill(self) -> None:
        """End the command at once."""
        try:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close_descriptors(self) -> None:
        """Close the descriptors on this side, when they were passed on."""
        while self.descriptors:
            os.close(self.descriptors.pop())


def start(paths: Paths, name: str, command: Sequence[str], terminal: Terminal | None = None) -> Session:
    """Start a command in a host container.

    Args:
        paths: where things are.
        name: the host container's, as the settings have it.
        command: a program, looked up in the container, and its arguments.
        terminal: the size of its terminal; None for none.

    Raises:
        NotRunningError: there is no such container running.
        ExecError: the command could not be started in it.
        OSError: something of the node failed.
    """
    identifier = Container(Kind.HOST, name, "").id
    if not _NAME.fullmatch(name) or not paths.at(f"{places.RUNC_STATE}/{identifier}/state.json").exists():
        raise NotRunningError(f"there is no host container {name!a:.80} running")
    _adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="exec-", dir=_run_directory(paths)) as workspace:
        pid_file, process_file = Path(workspace, "pid"), Path(workspace, "process.json")
        process_file.write_text(json.dumps(_process(paths, identifier, command, terminal)))
        arguments = ["--detach", "--pid-file", str(pid_file), "--process", str(process_file)]
        if terminal:
            descriptors = _start_on_terminal(paths, Path(workspace, "tty"), arguments, identifier)
        else:
            descriptors = _start_on_pipes(paths, [*arguments, identifier])
        try:
            return Session(int(pid_file.read_text()), descriptors)
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise


def _process(paths: Paths, identifier: str, command: Sequence[str], terminal: Terminal | None) -> dict[str, Any]:
    """Give the container's own process with another command: `process` of the OCI runtime specification."""
    config = json.loads(paths.at(f"{places.BUNDLES}/{identifier}/config.json").read_bytes())
    process: dict[str, Any] = config["process"] | {"args": list(command), "terminal": terminal is not None}
    if terminal:
        process["consoleSize"] = {"height": terminal.rows, "width": terminal.columns}
        process["env"] = [*process["env"], "TERM=xterm"]
    return process


def _start_on_terminal(paths: Paths, place: Path, arguments: list[str], identifier: str) -> list[int]:
    """Receive the terminal that runc has opened in the container: `--console-socket` of runc-exec(8)."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen(1)
        listener.settimeout(START_SECONDS)
        _runc(paths, [*arguments, "--console-socket", str(place), identifier], None, None)
        with listener.accept()[0] as channel:
            return socket.recv_fds(channel, 4096, 1)[1]


def _start_on_pipes(paths: Paths, arguments: list[str]) -> list[int]:
    with _pipe() as (stdin, to_stdin), _pipe() as (from_stdout, stdout):
        _runc(paths, arguments, stdin, stdout)
        return [os.dup(to_stdin), os.dup(from_stdout)]


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe2(os.O_CLOEXEC)
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def _runc(paths: Paths, arguments: list[str], stdin: int | None, stdout: int | None) -> None:
    """Run `runc exec`; what it says itself goes to a file, for its other outputs are the command's."""
    with tempfile.TemporaryFile() as log:
        words = [
            str(paths.at(places.RUNC)),
            "--root",
            str(paths.at(places.RUNC_STATE)),
            "--log",
            f"/proc/self/fd/{log.fileno()}",
        ]
        done = subprocess.run(
            [*words, "exec", *arguments],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.DEVNULL if stdout is None else stdout,
            stderr=subprocess.DEVNULL if stdout is None else stdout,
            pass_fds=[log.fileno()],
            env={"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8"},
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode:
            log.seek(0)
            raise ExecError(_words(log.read().decode(errors="replace")) or f"runc ended with {done.returncode}")


def _words(log: str) -> str:
    """Give what the last line of runc's log says."""
    message = re.findall(r'msg="((?:[^"\\]|\\.)*)"', log)
    return re.sub(r"\\(.)", r"\1", message[-1])[:500] if message else log.strip()[-500:]


def _adopt_orphans() -> None:
    """Become the parent of what runc leaves behind."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _run_directory(paths: Paths) -> Path:
    """A socket's path may have 107 bytes: the directory is a short one."""
    directory = paths.at("/run/pinwheel")
    directory.mkdir(parents=True, exist_ok=True)
    return directory
