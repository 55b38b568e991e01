# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The node under measurement, as the bench sees it: its sockets, its data, and the holder that starts its services."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.api.client import Sockets
from bench.api.holder import SOCKETS
from bench.api.image_root import Roots

from pinwheel.errors import EnvironmentFault
from pinwheel.image.host import as_root
from pinwheel.paths import PROJECT

GENERATIONS = "lib/pinwheel/settings/generations"
PATIENCE = 20.0
"""Seconds that the holder has for its own end."""
_NAMESPACES = ("--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net")


class MeasuredNode:
    """A node whose settings are in place, and whose sockets are held."""

    def __init__(self, holder: "subprocess.Popen[str]", root: Path, var: Path) -> None:
        self._holder = holder
        self.generations = var / GENERATIONS
        """The directory of the generations."""
        self._answer()
        self.sockets = Sockets(Path(f"/proc/{_child(holder.pid)}/root{root}/{SOCKETS}"))

    def tell(self, *words: str) -> Any:  # noqa: ANN401 - each command has its own
        """Have the holder do something, and give its answer.

        Raises:
            EnvironmentFault: the holder is gone.
        """
        assert self._holder.stdin
        try:
            self._holder.stdin.write(" ".join(words) + "\n")
            self._holder.stdin.flush()
        except BrokenPipeError:
            raise _gone(self._holder) from None
        return self._answer()

    def running(self) -> set[str]:
        """Name the services that run."""
        return set(self.tell("pids"))

    def stop(self) -> None:
        """Stop all that runs, as when the node has been idle."""
        for name in self.running():
            self.tell("kill", name)
        while self.running():
            pass

    def _answer(self) -> Any:  # noqa: ANN401 - as `tell`
        assert self._holder.stdout
        line = self._holder.stdout.readline()
        if not line:
            raise _gone(self._holder)
        return json.loads(line)


@contextmanager
def start(roots: Roots, work: Path, user_data: bytes) -> Iterator[MeasuredNode]:
    """Start a node, with its data in the directory `work`; none of its processes is left at the end.

    Raises:
        EnvironmentFault: it does not start; what it said is on the standard error.
    """
    var, document = work / "var", work / "user-data.toml"
    (var / "lib").mkdir(parents=True)
    document.write_bytes(user_data)
    inside = ["unshare", *_NAMESPACES, sys.executable, "-m", "bench.api.holder"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "src")])}
    with subprocess.Popen(
        as_root([*inside, *map(str, (roots.image, roots.floor, var, document))]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the bench, whose end the holder sees by its standard input
    ) as holder:
        try:
            node = MeasuredNode(holder, roots.image, var)
            yield node
            node.sockets.close()
        finally:
            _end(holder)


def _end(holder: "subprocess.Popen[str]") -> None:
    with suppress(BrokenPipeError):
        holder.stdin.close()  # type: ignore[union-attr]
    try:
        holder.wait(PATIENCE)
    except subprocess.TimeoutExpired:  # its namespace's other processes go with it
        holder.kill()


def _child(pid: int) -> int:
    """Give the process that unshare(1) has forked."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _gone(holder: "subprocess.Popen[str]") -> EnvironmentFault:
    return EnvironmentFault(f"the bench's node ended with code {holder.wait()}", "its words are above")
