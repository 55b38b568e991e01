# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The unpruned tree of a variant: mkosi installs the locked packages, and no others, into a directory."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from debian.debfile import DebFile

from pinwheel.errors import UsageFault
from pinwheel.image.package_lock import PackageLock
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.workspace import workspace_beside
from pinwheel.paths import PROJECT
from pinwheel.progress import Progress

DEFINITION = PROJECT / "os"
_LAYOUT = 2


def variants() -> list[str]:
    """Name the variants: each is an mkosi profile."""
    return sorted(file.parent.name for file in DEFINITION.glob("mkosi.profiles/*/mkosi.conf"))


class TreeSource(NamedTuple):
    """What mkosi makes a tree of."""

    command: tuple[str, ...]
    """mkosi, and where its configuration is."""
    configuration: tuple[Path, ...]
    """The files of that configuration."""


def variant_source(variant: str) -> TreeSource:
    """Give what the tree of a variant is made of; raises UsageFault when there is no such variant."""
    if variant not in variants():
        raise UsageFault(f"there is no variant {variant!r}", f"the variants are: {', '.join(variants())}")
    command = ("mkosi", f"--directory={DEFINITION}", f"--profile={variant}")
    return TreeSource(command, (DEFINITION / "mkosi.conf", DEFINITION / f"mkosi.profiles/{variant}/mkosi.conf"))


def requested_packages(source: TreeSource, toolbox: Toolbox) -> list[str]:
    """Give the packages that an mkosi configuration asks for, as mkosi itself reads it."""
    answer = toolbox.run([*source.command, "--json", "summary"], readable=[DEFINITION], root=True)
    (image,) = json.loads(answer)["Images"]
    return sorted(set(image["Packages"]))


def make_tree(
    source: TreeSource, lock: PackageLock, files: Mapping[str, Path], toolbox: Toolbox, cache: Path, progress: Progress
) -> Path:
    """Give the unpruned tree of a source; make it when it is not in the cache yet.

    Args:
        source: what mkosi makes it of.
        lock: the packages.
        files: the .deb file of each package, by the package's name.
        toolbox: where mkosi is.
        cache: the directory that trees are kept below.
        progress: where to report.

    Raises:
        EnvironmentFault: mkosi failed.
    """
    configuration = b"".join(file.read_bytes() for file in source.configuration)
    key = hashlib.sha256(f"{_LAYOUT} {lock.digest()} {toolbox.root.name}".encode() + configuration).hexdigest()[:16]
    target = cache / "trees" / key
    if target.exists():
        return target
    step = progress.step(f"Installing {len(lock.packages)} packages with mkosi")
    with step, workspace_beside(target) as workspace:
        repository = workspace / "repository"
        write_repository(lock, files, repository)
        for name in ("work", "packages", "output"):
            (workspace / name).mkdir()
        options = (
            f"--local-mirror=file://{repository}",
            f"--package-cache-dir={workspace}/packages",
            f"--workspace-directory={workspace}/work",
            f"--output-directory={workspace}/output",
            "--output=tree",
            "--force",
        )
        toolbox.run([*source.command, *options, "build"], readable=[DEFINITION], writable=[workspace], root=True)
        (workspace / "output/tree").rename(target)
    return target


def write_repository(lock: PackageLock, files: Mapping[str, Path], directory: Path) -> None:
    """Make a local Debian archive of the locked packages, in the layout that apt expects of a mirror.

    Format: https://wiki.debian.org/DebianRepository/Format. It is not signed: every file's hash is the lock's.
    """
    index = directory / f"dists/{lock.release}/main/binary-amd64"
    index.mkdir(parents=True)
    pool = directory / "pool"
    pool.mkdir()
    with (index / "Packages").open("wb") as packages:
        for package in lock.packages:
            name = f"{package.name}_{package.sha256[:12]}.deb"
            (pool / name).hardlink_to(files[package.name])
            control = DebFile(str(files[package.name])).debcontrol()
            control["Filename"] = f"pool/{name}"
            control["Size"] = str(package.size)
            control["SHA256"] = package.sha256
            packages.write(control.dump().encode() + b"\n")
    digest = hashlib.sha256((index / "Packages").read_bytes()).hexdigest()
    size = (index / "Packages").stat().st_size
    (directory / f"dists/{lock.release}/Release").write_text(
        f"Suite: {lock.release}\nCodename: {lock.release}\nComponents: main\nArchitectures: amd64\n"
        f"SHA256:\n {digest} {size} main/binary-amd64/Packages\n"
    )
