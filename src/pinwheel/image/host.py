# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the workstation itself must offer: two Debian packages, and a way to act as root over files of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence

from pinwheel.errors import EnvironmentFault
from pinwheel.progress import Progress

HOST_PROGRAMS = {"bwrap": "bubblewrap", "apt-get": "apt", "dpkg-deb": "dpkg"}
"""Programs that the host must have, and the Debian package of each."""

USER_PROGRAMS = {"newuidmap": "uidmap"}
"""What a user who is not root needs besides: setuid helpers that map the user's range of subordinate ids."""


def is_root() -> bool:
    """Whether this process may act as root outside of any user namespace."""
    return os.geteuid() == 0


def as_root(command: Sequence[str]) -> list[str]:
    """Give the command that runs `command` as root over files of the user's own: in a user namespace, if need be.

    The namespace maps root to the user and the user's subordinate ids (/etc/subuid) to the rest, so that a tree can
    hold files of any owner without any privilege on the host.
    """
    if is_root():
        return list(command)
    return ["unshare", "--map-root-user", "--map-auto", "--setuid=0", "--setgid=0", *command]


def ensure_host_programs(progress: Progress, programs: Iterable[str] = ()) -> None:
    """Install the packages of host programs that are missing (`programs`: further ones, named as their packages).

    Raises:
        EnvironmentFault: they are missing and cannot be installed.
    """
    wanted = HOST_PROGRAMS | ({} if is_root() else USER_PROGRAMS) | {name: name for name in programs}
    missing = sorted({package for program, package in wanted.items() if not shutil.which(program)})
    if missing:
        install_host_packages(missing, progress)
    if not is_root():
        _check_user_namespaces()


def install_host_packages(packages: Sequence[str], progress: Progress) -> None:
    """Install Debian or Ubuntu packages on the workstation, with sudo where needed.

    Raises:
        EnvironmentFault: there is no apt, or it failed; the message has its last lines.
    """
    by_hand = f"install by hand: {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise EnvironmentFault("this machine has no apt-get", f"Pinwheel needs Debian or Ubuntu; or {by_hand}")
    sudo = [] if is_root() else ["sudo"]
    with progress.step(f"Installing on this machine: {', '.join(packages)}"):
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            done = subprocess.run(
                [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command],
                stdin=None, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
                raise EnvironmentFault(f"apt-get {command[0]} failed:\n{tail}", by_hand)


def _check_user_namespaces() -> None:
    probe = subprocess.run(as_root(["true"]), capture_output=True, text=True, check=False)
    if probe.returncode:
        raise EnvironmentFault(
            f"this user cannot make a user namespace with subordinate ids: {probe.stderr.strip()}",
            "add the user to /etc/subuid and /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids "
            "100000-165535 USER) and allow unprivileged user namespaces, or run as root",
        )
