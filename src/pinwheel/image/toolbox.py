# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The toolbox: a Debian 13 tree with everything that a build and a virtual machine need, entered with bubblewrap.

Its packages are locked like the image's, so a build uses the same mkosi, mkfs.erofs and gcc on every workstation. They
are only unpacked, never configured: no maintainer script runs, which is quick and leaves nothing to chance.
"""

import hashlib
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict, Unpack

from pinwheel.errors import EnvironmentFault
from pinwheel.image.fetch import fetch_packages
from pinwheel.image.host import as_root, ensure_host_programs, is_root
from pinwheel.image.mirror import MirrorFinder
from pinwheel.image.package_lock import PackageLock
from pinwheel.image.workspace import workspace_beside
from pinwheel.paths import cache_directory
from pinwheel.progress import Progress

PACKAGES = (
    # Building the image
    "apt", "busybox-static", "ca-certificates", "cpio", "debian-archive-keyring", "dosfstools", "e2fsprogs",
    "erofs-utils", "fdisk", "gcc", "kmod", "libc6-dev", "mkosi", "mtools", "python3-dev", "sbsigntool",
    "systemd-boot-efi", "systemd-repart", "systemd-ukify", "zstd",
    # Running it
    "docker-cli", "docker-registry", "ovmf", "python3-virt-firmware", "qemu-system-x86", "qemu-utils",
    "swtpm", "swtpm-tools",
)  # fmt: skip

_UNNEEDED = ("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*")
_LAYOUT = 2
"""Raised when the way of unpacking changes, so that older toolboxes are made anew."""

_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/resolv.conf": "",  # the host's is laid over it for programs that use the network
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class Sandbox(TypedDict, total=False):
    """What a program in the toolbox sees of the host; nothing of it unless it is said here."""

    writable: Iterable[Path]
    """Host paths that it may change; they appear under the same path."""
    readable: Iterable[Path]
    """Host paths that it may read."""
    network: bool
    """Whether it sees the host's network."""
    root: bool
    """Whether it acts as root over the files that it sees (`pinwheel.image.host.as_root`)."""
    alone: bool
    """Whether it has process ids of its own: what it leaves running ends with it."""
    attached: bool
    """Whether it ends with the thread that started it, even where that is killed."""


class Toolbox:
    """A toolbox that is there. Its programs run with the host's paths hidden but for those that a call names."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def command(self, argv: Sequence[str | Path], **sandbox: Unpack[Sandbox]) -> list[str]:
        """Give the host's command that runs a program with its arguments in the toolbox."""
        words = ["bwrap", "--ro-bind", str(self.root / "usr"), "/usr", "--ro-bind", str(self.root / "etc"), "/etc"]
        for link, target in _LINKS.items():
            words += ["--symlink", target, f"/{link}"]
        words += ["--dev-bind", "/dev", "/dev", "--proc", "/proc", "--dir", "/run"]
        words += ["--tmpfs", "/tmp", "--tmpfs", "/var/tmp"]  # noqa: S108 - the sandbox's own
        words += ["--dir", "/root", "--setenv", "HOME", "/root", "--setenv", "PATH", "/usr/sbin:/usr/bin"]
        words += ["--setenv", "LC_ALL", "C.UTF-8", "--chdir", "/"]
        if sandbox.get("network"):
            words += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
        else:
            words += ["--unshare-net"]
        if sandbox.get("alone"):
            words += ["--unshare-pid", "--as-pid-1"]
        if sandbox.get("attached"):
            words += ["--die-with-parent"]
        for path in sandbox.get("readable", ()):
            words += ["--ro-bind", str(path), str(path)]
        for path in sandbox.get("writable", ()):
            words += ["--bind", str(path), str(path)]
        words += ["--", *map(str, argv)]
        return as_root(words) if sandbox.get("root") else words

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        input: bytes | None = None,  # noqa: A002 - as subprocess names it
        **sandbox: Unpack[Sandbox],
    ) -> bytes:
        """Run a program to its end and give its standard output.

        Raises:
            EnvironmentFault: it failed; the message has the last lines that it printed.
        """
        done = subprocess.run(self.command(argv, **sandbox), input=input or b"", capture_output=True, check=False)
        if done.returncode:
            tail = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-20:]
            raise EnvironmentFault(f"{argv[0]} failed with code {done.returncode}:\n" + "\n".join(tail))
        return done.stdout


def toolbox_directory(lock: PackageLock, cache: Path) -> Path:
    """Give where the toolbox of this lock is, or would be."""
    definition = f"{_LAYOUT} {is_root()} {lock.digest()} {_UNNEEDED} {sorted(_FILES.items())}"
    return cache / "toolbox" / hashlib.sha256(definition.encode()).hexdigest()[:16]


def make_toolbox(
    lock: PackageLock, find_mirror: MirrorFinder, progress: Progress, cache: Path | None = None
) -> Toolbox:
    """Give the toolbox of `lock`; make it when it is not in the cache yet.

    Raises:
        PackagesGone: the mirror no longer carries some of its packages.
        EnvironmentFault: a host program is missing, the mirror does not answer, or the disk is full.
    """
    cache = cache or cache_directory()
    ensure_host_programs(progress)
    target = toolbox_directory(lock, cache)
    if not target.exists():
        files = fetch_packages(lock.packages, find_mirror, cache / "packages", progress, "the toolbox")
        with progress.step("Unpacking the toolbox") as step:
            step.total(len(files))
            with workspace_beside(target) as fresh:
                _unpack(list(files.values()), fresh, step.advance)
                fresh.rename(target)
    return Toolbox(target)


def _unpack(packages: Sequence[Path], tree: Path, advance: Callable[[int], None]) -> None:
    for link, target in _LINKS.items():
        (tree / target).mkdir(parents=True, exist_ok=True)
        (tree / link).symlink_to(target)
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda package: _unpack_one(package, tree), packages):
            advance(1)
    for name, content in _FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)


def _unpack_one(package: Path, tree: Path) -> None:
    script = 'dpkg-deb --fsys-tarfile "$0" | tar --extract --directory "$@"'
    options = ["--keep-directory-symlink", "--numeric-owner", *(f"--exclude={pattern}" for pattern in _UNNEEDED)]
    done = subprocess.run(
        as_root(["sh", "-c", script, str(package), str(tree), *options]), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise EnvironmentFault(f"could not unpack a package of the toolbox: {done.stderr.strip()[-500:]}")
