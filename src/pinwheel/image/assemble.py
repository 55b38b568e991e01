# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Putting the root together: the pruned tree, our own files and programs over it, and what is derived from both."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pinwheel import __version__
from pinwheel.errors import EnvironmentFault
from pinwheel.image.components import Components, KernelFacts, WheelFacts, pruned_summary, read_packages
from pinwheel.image.definition import ImageDefinition, overlays
from pinwheel.image.host import as_root
from pinwheel.image.initrd import compile_static
from pinwheel.image.kernel_modules import KernelModules
from pinwheel.image.manifest import Artefact, ImageFacts, PackageRecord, PrunedCount, PrunedSummary
from pinwheel.image.package_lock import PackageLock
from pinwheel.image.prune import MODULES, copy, drop_setuid, kernel_release, plan
from pinwheel.image.python_definition import read_python_definition
from pinwheel.image.python_runtime import build_launchers, build_python_runtime, check_libpython
from pinwheel.image.settings_packages import settings_packages, write_description
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.tree import DEFINITION
from pinwheel.image.users import add_users
from pinwheel.progress import Progress

RUNTIME = "usr/lib/pinwheel"
STANDARD_LIBRARY = "usr/lib/python3.13"
LIBPYTHON = "usr/lib/x86_64-linux-gnu/libpython3.13.so.1.0"
CONTAINER_CLIENT = "usr/lib/pinwheel/apiclient"
"""The client for host containers, whose C library is another one."""
GENERATORS = "usr/lib/systemd/system-generators"
KERNEL_PACKAGE_PREFIX = "linux-image-"


@dataclass(frozen=True)
class AssembledRoot:
    """A root that is ready to be sealed, and what is known about it."""

    directory: Path
    kernel: str
    os_release: Path
    components: Components = field(repr=False)
    facts: ImageFacts = field(repr=False)


def assemble_root(
    variant: str,
    tree: Path,
    definition: ImageDefinition,
    lock: PackageLock,
    toolbox: Toolbox,
    workspace: Path,
    cache: Path,
    progress: Progress,
    more: Sequence[Path] = (),
) -> AssembledRoot:
    """Make the root of a variant below `workspace`; `more` are trees of further files of ours to lay over it.

    Raises:
        UsageFault: the declaration does not fit the packages.
        EnvironmentFault: a tool failed.
    """
    own = workspace / "own"
    packages = settings_packages(variant, definition.settings_packages)
    with progress.step("Compiling the node's services"):
        shutil.copytree(Path(overlays(variant)[0]), own, symlinks=True)
        for overlay in (*overlays(variant)[1:], *more):
            shutil.copytree(overlay, own, symlinks=True, dirs_exist_ok=True)
        drop_empty_directories(own)
        runtime = build_python_runtime(
            toolbox,
            own / RUNTIME / "python",
            cache,
            progress,
            standard_library=tree / STANDARD_LIBRARY,
            packages=packages,
        )
        check_libpython(runtime, tree / LIBPYTHON)
        build_launchers(toolbox, own / RUNTIME)
        link_commands(read_python_definition().launcher.commands, own)
        compile_static(DEFINITION / "launcher/apiclient.c", own / CONTAINER_CLIENT, toolbox)
        compile_static(DEFINITION / "generators/data-disk.c", own / GENERATORS / "pinwheel-data-disk", toolbox)
    with progress.step("Pruning the tree to what is declared"):
        kept = plan(tree, definition, [own])
        root = workspace / "root"
        copy(tree, kept, root)
        release = kernel_release(tree)
        components = _components(tree, kept, lock, release, runtime.wheels)
        facts = _facts(variant, tree, kept, release, components)
        os_release = _write_own_facts(own, variant, facts)
        write_description(own, packages)
        drop_setuid(definition.drop_setuid, root)
        lay_over(own, root)
        add_users(root, toolbox)
        _unpack_modules(root / MODULES / release, definition.unpacked_kernel_modules, toolbox)
        _derive(root, release, toolbox)
    return AssembledRoot(root, release, os_release, components, facts)


def link_commands(names: Iterable[str], root: Path) -> None:
    """Give each command of the launcher its name among the programs: a link to the launcher."""
    programs = root / "usr/bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in names:
        (programs / name).symlink_to("../lib/pinwheel/launch")


def drop_empty_directories(tree: Path) -> None:
    """Remove directories without files: git does not keep them, so they would differ between two checkouts."""
    for directory, _, _ in os.walk(tree, topdown=False):
        if directory != str(tree) and not os.listdir(directory):  # noqa: PTH208 - a plain name is all that is asked
            Path(directory).rmdir()


def _components(
    tree: Path, kept: set[str], lock: PackageLock, release: str, wheels: Sequence[WheelFacts]
) -> Components:
    hashes = {package.name: package.sha256 for package in lock.packages}
    vmlinuz = Artefact.of(tree / f"boot/vmlinuz-{release}")
    kernel = KernelFacts(release, vmlinuz.sha256, f"{KERNEL_PACKAGE_PREFIX}{release}")
    # In the image in another form: as the kernel image's parts, or compiled.
    always = [kernel.package, "systemd-boot-efi", "libpython3.13-minimal", "libpython3.13-stdlib"]
    return Components(read_packages(tree, kept, hashes, always), tuple(wheels), kernel)


def _facts(variant: str, tree: Path, kept: set[str], release: str, components: Components) -> ImageFacts:
    pruned = {name: PrunedCount(**count) for name, count in pruned_summary(tree, kept).items()}
    return ImageFacts(
        name=f"pinwheel-{variant}",
        version=__version__,
        variant=variant,
        kernel=release,
        packages=[
            PackageRecord(name=p.name, version=p.version, source=p.source, architecture=p.architecture)
            for p in components.debian
        ],
        pruned=PrunedSummary(
            files=sum(count.files for count in pruned.values()),
            bytes=sum(count.bytes for count in pruned.values()),
            packages=pruned,
        ),
    )


def _write_own_facts(own: Path, variant: str, facts: ImageFacts) -> Path:
    """Write what the image says about itself: os-release(5) for everybody, image.json for ours."""
    share = own / "usr/share/pinwheel"
    share.mkdir(parents=True, exist_ok=True)
    (share / "image.json").write_text(json.dumps(facts.model_dump(), separators=(",", ":"), sort_keys=True) + "\n")
    fields = {
        "NAME": "Pinwheel",
        "ID": "pinwheel",
        "ID_LIKE": "debian",
        "PRETTY_NAME": f"Pinwheel {__version__} ({variant})",
        "VERSION_ID": __version__,
        "VARIANT_ID": variant,
        "IMAGE_ID": facts.name,
        "IMAGE_VERSION": __version__,
        "DEFAULT_HOSTNAME": "pinwheel",
    }
    os_release = own / "usr/lib/os-release"
    os_release.write_text("".join(f'{key}="{value}"\n' for key, value in fields.items()))
    return os_release


def lay_over(own: Path, root: Path) -> None:
    """Copy our files over the root, owned by root, with the modes that an image has: 0644, and 0755 for programs."""
    script = (
        'chmod -R u=rwX,go=rX "$0" && tar --create --directory "$0" --owner=0 --group=0 --numeric-owner . | '
        'tar --extract --directory "$1" --same-permissions --same-owner --keep-directory-symlink'
    )
    command = as_root(["sh", "-c", script, str(own), str(root)])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFault(f"could not add Pinwheel's own files to the root: {done.stderr[-800:]}")


def _unpack_modules(modules: Path, names: Sequence[str], toolbox: Toolbox) -> None:
    files = [modules / file for file in sorted(KernelModules(modules).packed_files(names))]
    if files:
        toolbox.run(["xz", "--decompress", "--", *files], writable=[modules], root=True)


def _derive(root: Path, release: str, toolbox: Toolbox) -> None:
    """Make the indexes of what stayed: of kernel modules, and of libraries."""
    toolbox.run(["depmod", f"--basedir={root}", release], writable=[root], root=True)
    toolbox.run(["ldconfig", "-X", "-r", root], writable=[root], root=True)
    # ldconfig's notes to itself: /var is the data partition's.
    toolbox.run(["rm", "-rf", root / "var/cache"], writable=[root], root=True)
