# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a build is made from: the toolbox and the locked packages, and what to do when the mirror has moved on."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pinwheel.image.fetch import PackagesGone, fetch_packages
from pinwheel.image.mirror import Mirror, find_mirror
from pinwheel.image.package_lock import PackageLock, lock_file, read_lock, write_lock
from pinwheel.image.resolve import resolve
from pinwheel.image.toolbox import PACKAGES as TOOLBOX_PACKAGES
from pinwheel.image.toolbox import Toolbox, make_toolbox
from pinwheel.image.tree import requested_packages
from pinwheel.paths import cache_directory
from pinwheel.progress import Progress

TOOLBOX = "toolbox"


class LockMode(Enum):
    """How a build treats the lock files of the checkout."""

    PREFER = "prefer"
    """Use them; where the mirror has dropped a package of theirs, say which, and resolve anew for this workstation."""
    STRICT = "locked"
    """Use them or fail."""
    UPDATE = "update-lock"
    """Resolve anew and write them."""


@dataclass
class BuildContext:
    """What every step of a build shares."""

    progress: Progress
    mode: LockMode = LockMode.PREFER
    mirror_url: str | None = None
    cache: Path = field(default_factory=cache_directory)

    @property
    def mirror(self) -> Mirror:
        """The mirror; looked for when something is really fetched."""
        return find_mirror(self.mirror_url)

    def current_lock(self, name: str) -> PackageLock:
        """Read the lock in force: the checkout's, or what stood in for it when its packages had left the mirror."""
        lock = read_lock(lock_file(name))
        stand_in = self._stand_in(lock)
        return read_lock(stand_in) if self.mode is LockMode.PREFER and stand_in.exists() else lock

    def _stand_in(self, lock: PackageLock) -> Path:
        return self.cache / "locks" / f"{lock.digest()[:16]}.json"

    def resolve_anew(self, name: str, requested: list[str], gone: PackagesGone | None = None) -> PackageLock:
        """Resolve; into the checkout's lock when that was asked for, else into a stand-in for it in the cache."""
        lock = resolve(requested, self.mirror, self.progress)
        if gone is None:
            write_lock(lock, lock_file(name))
        else:
            self.progress.warn(f"{gone.message}. Building from what the mirror has now; `--locked` would fail instead.")
            write_lock(lock, self._stand_in(read_lock(lock_file(name))))
        return lock


def get_toolbox(context: BuildContext) -> Toolbox:
    """Give the toolbox, as the lock mode says.

    Raises:
        PackagesGone: in strict mode, when the mirror no longer carries the lock's packages.
    """
    if context.mode is LockMode.UPDATE:
        lock = context.resolve_anew(TOOLBOX, list(TOOLBOX_PACKAGES))
    else:
        lock = context.current_lock(TOOLBOX)
    try:
        return make_toolbox(lock, context.mirror, context.progress, context.cache)
    except PackagesGone as gone:
        if context.mode is not LockMode.PREFER:
            raise
        lock = context.resolve_anew(TOOLBOX, list(TOOLBOX_PACKAGES), gone)
        return make_toolbox(lock, context.mirror, context.progress, context.cache)


def get_packages(variant: str, toolbox: Toolbox, context: BuildContext) -> tuple[PackageLock, dict[str, Path]]:
    """Give a variant's lock and the files of its packages, as the lock mode says.

    Raises:
        UsageFault: the variant asks for packages that its lock was not resolved for.
        PackagesGone: in strict mode, when the mirror no longer carries the lock's packages.
    """
    requested = requested_packages(variant, toolbox)
    if context.mode is LockMode.UPDATE or not lock_file(variant).exists():
        lock = context.resolve_anew(variant, requested)
    else:
        lock = context.current_lock(variant)
        lock.require(requested, variant)
    try:
        return lock, _fetch(lock, variant, context)
    except PackagesGone as gone:
        if context.mode is not LockMode.PREFER:
            raise
        lock = context.resolve_anew(variant, requested, gone)
        return lock, _fetch(lock, variant, context)


def _fetch(lock: PackageLock, variant: str, context: BuildContext) -> dict[str, Path]:
    cache = context.cache / "packages"
    return fetch_packages(lock.packages, context.mirror, cache, context.progress, f"variant {variant}")
