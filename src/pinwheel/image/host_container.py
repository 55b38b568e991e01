# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Build our own host containers: an OCI archive each, of locked Debian packages, pruned to what is declared.

An archive stays in the cache under a name that says all that went into it. A node takes it from a registry, from its
data partition, or from its own image (`bake`).
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pinwheel import __version__
from pinwheel.image.assemble import lay_over
from pinwheel.image.definition import ImageDefinition
from pinwheel.image.host_container_archive import ImageFacts, digest_of, write_archive
from pinwheel.image.host_container_definition import (
    CONTAINERS,
    ContainerDefinition,
    container_source,
    lock_name,
    overlay,
    read_container_definition,
)
from pinwheel.image.inputs import TOOLBOX, BuildContext, LockMode, get_packages_of, get_toolbox
from pinwheel.image.package_lock import PackageLock, lock_file
from pinwheel.image.prune import copy, drop_setuid, plan
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.tree import make_tree
from pinwheel.image.workspace import workspace_beside

BAKED = "usr/share/pinwheel/host-containers"
"""Where an image has the archives that came with it, relative to its root: `oci:/usr/share/.../NAME.oci`."""
_PROGRAMS = ("usr/bin", "usr/sbin")
_PACK = (
    "--create", "--sort=name", "--numeric-owner", "--format=pax",
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
)  # fmt: skip


class BuiltContainer(NamedTuple):
    """A host container's image."""

    name: str
    archive: Path


def build_host_container(name: str, context: BuildContext) -> BuiltContainer:
    """Build a host container's image into the cache; one that is there already is used.

    Raises:
        UsageFault: there is no such host container, or its declaration does not fit its packages.
        EnvironmentFault: mirror, disk, or a tool failed; nothing half-made is left.
    """
    definition = read_container_definition(name)
    if context.mode is not LockMode.UPDATE and lock_file(lock_name(name)).exists():
        done = _target(name, context)
        if done.exists():
            os.utime(done)
            return BuiltContainer(name, done)
    toolbox = get_toolbox(context)
    source, title = container_source(name), f"host container {name}"
    lock, files = get_packages_of(lock_name(name), source, title, toolbox, context)
    tree = make_tree(source, lock, files, toolbox, context.cache, context.progress)
    target = _target(name, context)
    if not target.exists():
        _build(name, definition, tree, lock, toolbox, target, context)
    return BuiltContainer(name, target)


def container_key(name: str, context: BuildContext) -> str:
    """Name a host container's image by everything that goes into it."""
    digest = hashlib.sha256(f"{__version__} {name}".encode())
    for lock in (TOOLBOX, lock_name(name)):
        digest.update(context.current_lock(lock).model_dump_json().encode())
    for file in sorted((CONTAINERS / name).rglob("*")):
        if not file.is_dir() or file.is_symlink():
            digest.update(f"{file.relative_to(CONTAINERS)} {file.lstat().st_mode & 0o111:o}\0".encode())
            digest.update(str(file.readlink()).encode() if file.is_symlink() else file.read_bytes())
    return f"{name}-{digest.hexdigest()[:16]}"


def bake(containers: Iterable[BuiltContainer], root: Path) -> None:
    """Put archives into what will be laid over an image's root."""
    for container in containers:
        (root / BAKED).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(container.archive, root / BAKED / f"{container.name}.oci")


def _target(name: str, context: BuildContext) -> Path:
    return context.cache / "host-containers" / f"{container_key(name, context)}.oci"


def _build(
    name: str,
    definition: ContainerDefinition,
    tree: Path,
    lock: PackageLock,
    toolbox: Toolbox,
    target: Path,
    context: BuildContext,
) -> None:
    step = context.progress.step(f"Making the image of the host container {name}")
    with workspace_beside(target) as workspace, step:
        root = workspace / "root"
        _assemble(name, definition, tree, root, toolbox)
        layer, plain_digest = _pack(root, toolbox, workspace, lock.resolved_at)
        config = definition.config
        facts = ImageFacts(f"pinwheel-{name}", __version__, lock.resolved_at, config.entrypoint, config.environment)
        write_archive(facts, layer, plain_digest, workspace / "archive")
        (workspace / "archive").rename(target)


def _assemble(name: str, definition: ContainerDefinition, tree: Path, root: Path, toolbox: Toolbox) -> None:
    own = root.parent / "own"
    shutil.copytree(overlay(name), own, symlinks=True)
    kept = plan(tree, definition.keep, [own])
    copy(tree, kept, root)
    _check_modes(definition.keep, root)
    _link_busybox(definition.busybox_links, root, own, toolbox)
    lay_over(own, root)
    toolbox.run(["ldconfig", "-X", "-r", root], writable=[root], root=True)
    toolbox.run(["rm", "-rf", root / "var/cache"], writable=[root], root=True)


def _check_modes(keep: ImageDefinition, root: Path) -> None:
    drop_setuid(keep.drop_setuid, root)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o1777)


def _link_busybox(directories: Iterable[str], root: Path, own: Path, toolbox: Toolbox) -> None:
    """Make links for all applets where neither the tree nor our files have such a program."""
    applets = toolbox.run(["busybox", "--list"]).decode().split()
    for directory in directories:
        place = directory.strip("/")
        searched = _PROGRAMS if place in _PROGRAMS else (place,)
        (own / place).mkdir(parents=True, exist_ok=True)
        for applet in applets:
            if not any(os.path.lexists(tree / other / applet) for tree in (root, own) for other in searched):
                (own / place / applet).symlink_to(os.path.relpath("usr/bin/busybox", place))


def _pack(root: Path, toolbox: Toolbox, workspace: Path, epoch: int) -> tuple[Path, str]:
    """Pack the root as a layer; give the file, and the digest of what is packed in it."""
    layer = workspace / "layer"
    command = ["tar", *_PACK, f"--mtime=@{epoch}", f"--file={layer}", f"--directory={root}", "."]
    toolbox.run(command, readable=[root], writable=[workspace], root=True)
    plain_digest = digest_of(layer)
    toolbox.run(["gzip", "--no-name", "--best", layer], writable=[workspace], root=True)
    return layer.with_name("layer.gz"), plain_digest
