# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Getting locked packages: from the cache, else from the mirror, each checked with the lock's hash before it counts."""

import errno
import hashlib
import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pinwheel.errors import EnvironmentFault
from pinwheel.image.mirror import Mirror, MirrorFinder
from pinwheel.image.package_lock import LockedPackage
from pinwheel.progress import Progress

_BLOCK_BYTES = 1 << 18
_MAKE_ROOM = "make room, or point XDG_CACHE_HOME at a larger disk"


@dataclass(frozen=True)
class FetchLimits:
    """What bounds the time that fetching can take."""

    connections: int = 6
    attempts: int = 3
    silence_seconds: float = 20.0
    """How long the mirror may say nothing."""
    slowest_bytes_per_second: float = 20_000
    """A file may take as long as it takes at this rate, and `silence_seconds` more."""
    pause_seconds: float = 1.0
    """Between two attempts; twice as long after each."""


DEFAULT_LIMITS = FetchLimits()


class PackagesGone(EnvironmentFault):
    """The mirror no longer carries packages that the lock names."""

    def __init__(self, packages: Iterable[LockedPackage]) -> None:
        self.packages = sorted(packages, key=lambda package: package.name)
        listed = ", ".join(f"{package.name} {package.version}" for package in self.packages)
        super().__init__(
            f"the mirror no longer carries what the lock names: {listed}",
            "resolve the packages anew with: pinwheel build --update-lock",
        )


def fetch_packages(
    packages: Iterable[LockedPackage],
    find_mirror: MirrorFinder,
    cache: Path,
    progress: Progress,
    title: str,
    limits: FetchLimits = DEFAULT_LIMITS,
) -> dict[str, Path]:
    """Give the file of each package, by the package's name; fetch what `cache` does not have yet.

    Raises:
        PackagesGone: the mirror does not have all of them; the others were fetched.
        EnvironmentFault: no mirror is known or it does not answer, a file's hash is wrong, or the disk is full.
    """
    packages = list(packages)
    files = {package.name: cache / f"{package.sha256}.deb" for package in packages}
    missing = [package for package in packages if not files[package.name].exists()]
    if not missing:
        return files
    mirror = find_mirror()
    cache.mkdir(parents=True, exist_ok=True)
    _check_space(cache, sum(package.size for package in missing))
    gone: list[LockedPackage] = []
    pool = ThreadPoolExecutor(limits.connections)
    with progress.step(f"Fetching {title}: {len(missing)} packages") as step, pool:
        step.total(sum(package.size for package in missing))
        jobs = {pool.submit(_fetch, package, mirror, files[package.name], limits): package for package in missing}
        try:
            for job in as_completed(jobs):
                if not job.result():
                    gone.append(jobs[job])
                step.advance(jobs[job].size)
                step.note(jobs[job].name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if gone:
        raise PackagesGone(gone)
    return files


def _fetch(package: LockedPackage, mirror: Mirror, target: Path, limits: FetchLimits) -> bool:
    """Put one package under its name when its hash is right; False: the mirror does not have it."""
    url = f"{mirror.archives[package.archive]}/{quote(package.path, safe='/+~:')}"
    for attempt in range(1, limits.attempts + 1):
        try:
            _download(url, package, target, limits)
        except urllib.error.HTTPError as error:
            if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                return False
            problem: Exception = error
        except (OSError, ValueError, HTTPException) as error:
            _raise_if_disk_is_full(error, target)
            problem = error
        else:
            return True
        if attempt < limits.attempts:
            time.sleep(limits.pause_seconds * 2 ** (attempt - 1))
    raise EnvironmentFault(
        f"could not fetch {package.name} from the mirror: {problem}",
        "check the network, or name another mirror with --mirror",
    ) from problem


def _download(url: str, package: LockedPackage, target: Path, limits: FetchLimits) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".fetch-")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with urllib.request.urlopen(url, timeout=limits.silence_seconds) as answer:  # noqa: S310 - a mirror's URL
                _receive(answer, file, package.size, limits)
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != package.sha256:
            raise ValueError(f"its hash is {found}, the lock says {package.sha256}")
        part.chmod(0o644)  # readable inside the sandboxes
        part.rename(target)  # atomic: a file under its name is whole and right
    finally:
        part.unlink(missing_ok=True)


def _receive(answer: HTTPResponse, file: IO[bytes], size: int, limits: FetchLimits) -> None:
    """Copy the answer's body; a mirror that trickles, or sends more than the lock says, is cut off."""
    deadline = time.monotonic() + limits.silence_seconds + size / limits.slowest_bytes_per_second
    received = 0
    while block := answer.read1(_BLOCK_BYTES):
        received += len(block)
        if received > size:
            raise ValueError(f"it has more than the {size} bytes of the lock")
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {received} of {size} bytes came in time")
        file.write(block)


def _raise_if_disk_is_full(error: Exception, target: Path) -> None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise EnvironmentFault(f"the disk with {target.parent} is full", _MAKE_ROOM) from error


def _check_space(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise EnvironmentFault(
            f"{directory} has {free // 10**6} MB free, the packages need {needed // 10**6} MB",
            _MAKE_ROOM,
        )
