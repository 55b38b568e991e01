# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Getting locked packages: from the cache, else from the mirror, each checked with the lock's hash before it counts."""

import hashlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from pinwheel.errors import EnvironmentFault
from pinwheel.image.mirror import Mirror
from pinwheel.image.package_lock import LockedPackage
from pinwheel.progress import Progress

CONNECTIONS = 6
TIMEOUT_SECONDS = 20.0
ATTEMPTS = 3


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
    packages: Iterable[LockedPackage], mirror: Mirror, cache: Path, progress: Progress, title: str
) -> dict[str, Path]:
    """Give the file of each package, by the package's name; fetch what `cache` does not have yet.

    Raises:
        PackagesGone: the mirror does not have all of them; the others were fetched.
        EnvironmentFault: the mirror does not answer, a file's hash is wrong, or the disk is full.
    """
    files = {package.name: cache / f"{package.sha256}.deb" for package in packages}
    missing = [package for package in packages if not files[package.name].exists()]
    if not missing:
        return files
    cache.mkdir(parents=True, exist_ok=True)
    _check_space(cache, sum(package.size for package in missing))
    gone: list[LockedPackage] = []
    with progress.step(f"Fetching {title}: {len(missing)} packages") as step, ThreadPoolExecutor(CONNECTIONS) as pool:
        step.total(sum(package.size for package in missing))
        jobs = {pool.submit(_fetch, package, mirror, files[package.name]): package for package in missing}
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


def _fetch(package: LockedPackage, mirror: Mirror, target: Path) -> bool:
    """Put one package under its name when its hash is right; False: the mirror does not have it."""
    url = f"{mirror.archives[package.archive]}/{quote(package.path, safe='/+~:')}"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _download(url, package.sha256, target)
        except urllib.error.HTTPError as error:
            if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                return False
            problem: Exception = error
        except (OSError, ValueError) as error:
            problem = error
        else:
            return True
        if attempt == ATTEMPTS:
            raise EnvironmentFault(
                f"could not fetch {package.name} from the mirror: {problem}",
                "check the network, or name another mirror with --mirror",
            ) from problem
    raise AssertionError


def _download(url: str, sha256: str, target: Path) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".fetch-")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - a mirror's URL
                shutil.copyfileobj(answer, file, 1 << 20)
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise ValueError(f"its hash is {found}, the lock says {sha256}")
        part.chmod(0o644)  # readable inside the sandboxes
        part.rename(target)  # atomic: a file under its name is whole and right
    finally:
        part.unlink(missing_ok=True)


def _check_space(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise EnvironmentFault(
            f"{directory} has {free // 10**6} MB free, the packages need {needed // 10**6} MB",
            "make room, or point XDG_CACHE_HOME at a larger disk",
        )
