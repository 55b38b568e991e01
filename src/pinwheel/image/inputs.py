# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a build is made from: the toolbox and the locked packages, and what to do when the mirror has moved on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeVar

from pinwheel.image.fetch import PackagesGone, fetch_packages
from pinwheel.image.mirror import Mirror, find_mirror
from pinwheel.image.package_lock import PackageLock, lock_file, read_lock, write_lock
from pinwheel.image.resolve import resolve
from pinwheel.image.toolbox import PACKAGES as TOOLBOX_PACKAGES
from pinwheel.image.toolbox import Toolbox, make_toolbox
from pinwheel.image.tree import TreeSource, requested_packages, variant_source
from pinwheel.paths import cache_directory
from pinwheel.progress import Progress

TOOLBOX = "toolbox"

Made = TypeVar("Made")
Resolver = Callable[[Sequence[str], Mirror, Progress], PackageLock]
"""Makes a lock of names of packages: `pinwheel.image.resolve.resolve`."""


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
    resolver: Resolver = resolve

    def find_mirror(self) -> Mirror:
        """Look for the mirror; only to be done when something is really fetched.

        Raises:
            EnvironmentFault: none is known.
        """
        return find_mirror(self.mirror_url)

    def current_lock(self, name: str) -> PackageLock:
        """Read the lock in force: the checkout's, or what stood in for it when its packages had left the mirror."""
        lock = read_lock(lock_file(name))
        stand_in = self._stand_in(lock)
        return read_lock(stand_in) if self.mode is LockMode.PREFER and stand_in.exists() else lock

    def _stand_in(self, lock: PackageLock) -> Path:
        return self.cache / "locks" / f"{lock.digest()[:16]}.json"

    def resolve_anew(self, name: str, requested: Sequence[str], gone: PackagesGone | None = None) -> PackageLock:
        """Resolve; into the checkout's lock when that was asked for, else into a stand-in for it in the cache."""
        lock = self.resolver(requested, self.find_mirror(), self.progress)
        if gone is None:
            write_lock(lock, lock_file(name))
        else:
            self.progress.warn(f"{gone.message}. Building from what the mirror has now; `--locked` would fail instead.")
            write_lock(lock, self._stand_in(read_lock(lock_file(name))))
        return lock


def with_lock(
    name: str, requested: Sequence[str], context: BuildContext, use: Callable[[PackageLock], Made]
) -> tuple[PackageLock, Made]:
    """Make something of the packages of a lock, as the lock mode says; gives the lock that was used, and what was made.

    Raises:
        UsageFault: the lock was not resolved for what is requested, or there is none in strict mode.
        PackagesGone: in strict mode, when the mirror no longer carries the lock's packages.
    """
    missing = not lock_file(name).exists() and context.mode is LockMode.PREFER
    if context.mode is LockMode.UPDATE or missing:
        lock = context.resolve_anew(name, requested)
        return lock, use(lock)
    lock = context.current_lock(name)
    lock.require(list(requested), name)
    try:
        return lock, use(lock)
    except PackagesGone as gone:
        if context.mode is LockMode.STRICT:
            raise
        lock = context.resolve_anew(name, requested, gone)
        return lock, use(lock)


def get_toolbox(context: BuildContext) -> Toolbox:
    """Give the toolbox.

    Raises:
        PackagesGone: in strict mode, when the mirror no longer carries the lock's packages.
    """
    _, toolbox = with_lock(
        TOOLBOX,
        TOOLBOX_PACKAGES,
        context,
        lambda lock: make_toolbox(lock, context.find_mirror, context.progress, context.cache),
    )
    return toolbox


def get_packages(variant: str, toolbox: Toolbox, context: BuildContext) -> tuple[PackageLock, dict[str, Path]]:
    """Give a variant's lock and the files of its packages.

    Raises:
        UsageFault: the variant asks for packages that its lock was not resolved for.
        PackagesGone: in strict mode, when the mirror no longer carries the lock's packages.
    """
    return get_packages_of(variant, variant_source(variant), f"variant {variant}", toolbox, context)


def get_packages_of(
    name: str, source: TreeSource, title: str, toolbox: Toolbox, context: BuildContext
) -> tuple[PackageLock, dict[str, Path]]:
    """Do as `get_packages` does, for any tree; `name` is that of its lock, `title` is for people."""
    cache = context.cache / "packages"
    return with_lock(
        name,
        requested_packages(source, toolbox),
        context,
        lambda lock: fetch_packages(lock.packages, context.find_mirror, cache, context.progress, title),
    )
