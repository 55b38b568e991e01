# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`python -m bench.api.holder ROOT FLOOR VAR USER_DATA`: the stand-in for systemd, in namespaces of its own.

It mounts what a node has around the image's root, then holds the sockets (`tests.support.activation`): whoever is asked
for is forked, changes its root to the image, becomes the user of its unit, and executes the launcher. The holder itself
is the workstation's Python, shares no file with what is measured, and imports little: it is copied for each start.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.activation import Holder, Service, listen

SOCKETS = "run/pinwheel"
"""The directory of all sockets, below the root."""
LAUNCHER = "/usr/lib/pinwheel/launch"
FLOOR = "/run/floor"
"""Where the floors' launcher and modules are, as they see it."""
CREDENTIALS = "/run/credentials/boot"
RUNTIME = "/run/pinwheel-api"
_NOTIFY = "/run/notify"
_DEVICES = ("null", "zero", "full", "random", "urandom")
BOOT_SECONDS = 120.0


class User(NamedTuple):
    """Whom a service runs as."""

    uid: int
    gid: int


ROOT = User(0, 0)


def mount_node(root: Path, floor: Path, var: Path) -> None:
    """Mount everything; the mounts go with the namespace."""
    mount("--bind", root, root)
    mount("-t", "proc", "proc", root / "proc")
    mount("-t", "tmpfs", "tmpfs", root / "proc/sys")  # nothing here sets a parameter of the workstation's kernel
    (root / "proc/sys/kernel").mkdir()
    (root / "proc/sys/kernel/hostname").write_text("localhost\n")
    for directory in ("dev", "run", "tmp"):
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / directory)
    for device in _DEVICES:
        (root / "dev" / device).touch()
        mount("--bind", Path("/dev", device), root / "dev" / device)
    (root / FLOOR.lstrip("/")).mkdir()
    mount("--bind", floor, root / FLOOR.lstrip("/"))
    mount("--bind", var, root / "var")
    mount("-o", "remount,bind,ro", root)


def mount(*arguments: str | Path) -> None:
    """Run the program of this name."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def user(root: Path, name: str) -> User:
    """Look a user up in the image."""
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return User(int(fields[2]), int(fields[3]))
    raise KeyError(name)


def group(root: Path, name: str) -> int:
    """Look a group up in the image."""
    fields = (line.split(":") for line in (root / "etc/group").read_text().splitlines())
    return next(int(gid) for found, _, gid, *_ in fields if found == name)


def execute(root: Path, who: User, program: str, entry: str, environment: Mapping[str, str]) -> int:
    """Become an entry point of a launcher of the image; does not return."""
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setgid(who.gid)
    os.setuid(who.uid)
    os.umask(0o022 if entry == "boot" else 0o077)
    os.execve(program, [program, entry], {**_listening(), **environment})


def _listening() -> dict[str, str]:
    return {name: os.environ[name] for name in ("LISTEN_FDS", "LISTEN_PID") if name in os.environ}


class Node:
    """The image's services below a root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._api = user(root, "pinwheel-api")

    def services(self) -> dict[str, Service]:
        """Make the sockets, as the units say."""
        directory, api = self._root / SOCKETS, self._api
        runtime = self._root / RUNTIME.lstrip("/")
        runtime.mkdir(mode=0o700)
        os.chown(runtime, *api)
        environment = {"RUNTIME_DIRECTORY": RUNTIME}
        clients = group(self._root, "api")
        return {
            "api": Service(
                listen(directory / "api.sock", group=clients, mode=0o660), self._run(api, LAUNCHER, "api", environment)
            ),
            "actuator": Service(
                listen(directory / "actuator.sock", owner=api.uid), self._run(ROOT, LAUNCHER, "actuator", {})
            ),
            "hello": Service(
                listen(directory / "hello.sock", group=clients, mode=0o660),
                self._run(api, f"{FLOOR}/launch", "hello", {}),
            ),
        }

    def _run(self, who: User, program: str, entry: str, environment: Mapping[str, str]) -> Callable[[], int]:
        return lambda: execute(self._root, who, program, entry, environment)

    def boot(self) -> None:
        """Put the settings in place by `launch boot`, up to where units would start: the engine that it then waits for
        is not here.

        Raises:
            TimeoutError: it does not get there.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(os.fspath(self._root / _NOTIFY.lstrip("/")))
            channel.settimeout(BOOT_SECONDS)
            environment = {"NOTIFY_SOCKET": _NOTIFY, "CREDENTIALS_DIRECTORY": CREDENTIALS}
            pid = self._start(ROOT, LAUNCHER, "boot", environment)
            try:
                while b"READY=1" not in channel.recv(4096):
                    pass
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def bare_start(self) -> float:
        """Start the launcher with an entry point that does nothing; give the seconds until it has ended."""
        started = time.perf_counter()
        pid = self._start(self._api, f"{FLOOR}/launch", "nothing", {})
        os.waitpid(pid, 0)
        return time.perf_counter() - started

    def _start(self, who: User, program: str, entry: str, environment: Mapping[str, str]) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                os.dup2(2, 1)
                execute(self._root, who, program, entry, environment)
            finally:
                os._exit(127)
        return pid

    def memory(self, pid: int) -> dict[str, int]:
        """Give the memory of a process in bytes: smaps_rollup of proc_pid_smaps(5)."""
        lines = (self._root / f"proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        fields = (line.split() for line in lines)
        return {name.rstrip(":").lower(): int(kib) * 1024 for name, kib, *_ in fields}


def main(root: Path, floor: Path, var: Path, user_data: Path) -> None:
    """Mount, boot, hold."""
    mount_node(root, floor, var)
    credential = root / CREDENTIALS.lstrip("/") / "pinwheel.user-data"
    credential.parent.mkdir(parents=True)
    credential.write_bytes(user_data.read_bytes())
    node = Node(root)
    node.boot()
    holder = Holder(node.services(), {
        "start": node.bare_start,
        "memory": lambda name: node.memory(holder.pids[name]),
    })  # fmt: skip
    print("true", flush=True)  # that it holds them
    holder.hold()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
