# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Machines of one test run, and the clients of them that tests use."""

import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.run_directory import RunDirectory

from pinwheel.image.build import BuiltImage
from pinwheel.image.keys import SecureBootKeys
from pinwheel.image.partitions import read_partitions
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.docker_client import client_command, client_environment
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import GIB
from pinwheel.machine.waiting import READY_TIMEOUT
from pinwheel.paths import PROJECT

MEMORY = 1 * GIB
"""What a machine gets unless its test says otherwise."""
COMMAND_TIMEOUT = 180.0
"""Seconds for one command of a Docker client."""


class Lab:
    """A store of machines for this run alone, and what they are made from."""

    def __init__(self, base: Path, image: BuiltImage, toolbox: Toolbox, keys: SecureBootKeys) -> None:
        """Make the run's directory below `base`, and clear away what dead runs left there."""
        self.image, self.toolbox, self._keys = image, toolbox, keys
        self.machines: list[Machine] = []
        self._run = RunDirectory(base)
        self.directory, self.store = self._run.path, self._run.store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.remove()

    @property
    def environment(self) -> dict[str, str]:
        """What makes `pinwheel` see this run's machines instead of the user's."""
        return os.environ | {"XDG_STATE_HOME": str(self.directory)}

    def create(self, name: str, **options: Any) -> Machine:
        """Make a machine from the image, stopped; the options are those of `Machine.create`.

        It has no TPM unless asked for: a boot with one takes ten seconds more (docs/decisions/0016).
        """
        given: dict[str, Any] = {"image": self.image.disk, "memory": MEMORY, "tpm": False} | options
        machine = Machine.create(name, toolbox=self.toolbox, keys=self._keys, store=self.store, **given)
        self.machines.append(machine)
        return machine

    def boot(self, machine: Machine) -> Machine:
        """Start a machine and wait until it is ready; switch it off when it does not get there."""
        machine.start(self.toolbox)
        try:
            machine.wait_ready()
        except BaseException:
            machine.kill()
            raise
        return machine

    def discard(self, machine: Machine) -> None:
        """Remove a machine."""
        self.machines.remove(machine)
        machine.remove()

    def pinwheel(self, *arguments: str, timeout: float = READY_TIMEOUT) -> subprocess.CompletedProcess[str]:
        """Run the project's own command on this run's machines."""
        command = [str(PROJECT / "pinwheel"), *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
        )


class Docker:
    """A Docker client for one machine."""

    def __init__(self, machine: Machine, toolbox: Toolbox) -> None:
        self._machine, self._toolbox = machine, toolbox

    def attempt(self, *arguments: str, timeout: float = COMMAND_TIMEOUT) -> subprocess.CompletedProcess[str]:
        """Run a command and give how it ended."""
        done = self._run(arguments, b"", timeout)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def __call__(self, *arguments: str, timeout: float = COMMAND_TIMEOUT) -> str:
        """Run a command that must go well, and give what it printed, without white space at the ends."""
        return self.transfer(*arguments, timeout=timeout).decode().strip()

    def transfer(self, *arguments: str, content: bytes = b"", timeout: float = COMMAND_TIMEOUT) -> bytes:
        """Run a command that must go well, with standard input, and give the bytes that it printed."""
        done = self._run(arguments, content, timeout)
        said = done.stderr.decode(errors="replace")
        assert done.returncode == 0, f"docker {' '.join(arguments)}\nended with {done.returncode}: {said}"
        return done.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command, with pipes for its input and its output, errors included; whoever starts it ends it."""
        command, environment = self._command(arguments)
        pipe, together = subprocess.PIPE, subprocess.STDOUT
        return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=together)

    def _run(self, arguments: Sequence[str], content: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
        command, environment = self._command(arguments)
        return subprocess.run(command, env=environment, input=content, capture_output=True, timeout=timeout)

    def _command(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        variables = self._machine.docker_environment()
        command = client_command(arguments, variables, lambda: self._toolbox, self._machine.directory)
        return list(command), client_environment(variables, os.environ)

    def cat(self, container: str, *paths: str) -> str:
        """Give the content of files of a running container."""
        return self("exec", container, "cat", *paths)


def wait_for_console(machine: Machine, pattern: str, timeout: float) -> re.Match[str]:
    """Wait until a line of the console matches, and give the match; `TimeoutError` after so many seconds."""
    deadline = time.monotonic() + timeout
    while not (match := re.search(pattern, machine.console_text(), re.MULTILINE)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {pattern!r} on the console of {machine.name} within {timeout:.0f} s")
        time.sleep(0.2)
    return match


def start_of_data(machine: Machine, toolbox: Toolbox) -> bytes:
    """Give the first bytes of the data partition as they are on the machine's disk."""
    (data,) = (one for one in read_partitions(machine.disk, toolbox) if one.name == "pinwheel-data")
    with machine.disk.open("rb") as disk:
        disk.seek(data.offset)
        return disk.read(512)
