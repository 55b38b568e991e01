# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A shell in a container that stays open: to start a command there takes two seconds under emulation, here nothing."""

import os
import re
import select
import subprocess
import time
import uuid

from tests.support.lab import COMMAND_TIMEOUT, Docker


class ContainerShell:
    """`sh` in a running container, for one command after the other."""

    def __init__(self, docker: Docker, container: str) -> None:
        self._docker, self._container = docker, container
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = uuid.uuid4().hex

    def run(self, script: str, timeout: float = COMMAND_TIMEOUT) -> tuple[int, str]:
        """Run a script, and give its exit code and all that it printed, errors included.

        Where the connection ends in the middle (the engine or the node was restarted), the script is run again.

        Raises:
            TimeoutError: it did not end within so many seconds.
        """
        deadline = time.monotonic() + timeout
        while (answer := self._attempt(script, deadline)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no shell in the container {self._container} within {timeout:g} s")
            time.sleep(0.5)
        return answer

    def close(self) -> None:
        """End the shell."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _attempt(self, script: str, deadline: float) -> tuple[int, str] | None:
        process = self._connected()
        assert process.stdin
        try:
            # A process of its own: neither `exit` nor `cd` nor what it reads is the shell's.
            process.stdin.write(f"( {script}\n) < /dev/null 2>&1; echo {self._mark} $?\n".encode())
            process.stdin.flush()
        except BrokenPipeError:
            self.close()
            return None
        said = self._said(process, deadline)
        if said is None:
            self.close()
        return said

    def _connected(self) -> "subprocess.Popen[bytes]":
        if self._process and self._process.poll() is not None:
            self.close()
        if not self._process:
            self._process = self._docker.start("exec", "--interactive", self._container, "sh")
        return self._process

    def _said(self, process: "subprocess.Popen[bytes]", deadline: float) -> tuple[int, str] | None:
        assert process.stdout
        content, end = b"", re.compile(rf"(.*){self._mark} (\d+)\n".encode(), re.DOTALL)
        while not (match := end.fullmatch(content)):
            if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self.close()
                raise TimeoutError(f"a command in the container {self._container} did not end: {content!r:.500}")
            part = os.read(process.stdout.fileno(), 1 << 16)
            if not part:
                return None
            content += part
        return int(match[2]), match[1].decode(errors="replace")
