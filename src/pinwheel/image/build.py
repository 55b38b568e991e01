# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The build: from a variant's name to an output directory with disk, manifest and SBOM, cached by what went into it."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pinwheel import __version__
from pinwheel.errors import EnvironmentFault
from pinwheel.image.assemble import AssembledRoot, assemble_root
from pinwheel.image.definition import read_definition
from pinwheel.image.disk import VerityRoot, make_disk, seal_root
from pinwheel.image.host_container import bake, build_host_container, container_key
from pinwheel.image.host_container_definition import CONTAINERS
from pinwheel.image.initrd import make_initrd
from pinwheel.image.inputs import TOOLBOX, BuildContext, LockMode, get_packages, get_toolbox
from pinwheel.image.kernel_modules import KernelModules
from pinwheel.image.keys import SecureBootKeys, secure_boot_keys
from pinwheel.image.manifest import MANIFEST_NAME, Artefact, Manifest, PartitionRecord, write_manifest
from pinwheel.image.notices import make_notices
from pinwheel.image.package_lock import PackageLock, lock_file
from pinwheel.image.prune import MODULES
from pinwheel.image.rules import RuleReport, check_rules
from pinwheel.image.sbom import ImageFacts as SbomFacts
from pinwheel.image.sbom import make_sbom
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.tree import DEFINITION, make_tree, variant_source
from pinwheel.image.uki import UkiParts, entry_name, make_uki, sign
from pinwheel.image.workspace import remove_tree, workspace_beside
from pinwheel.paths import PROJECT
from pinwheel.progress import Progress

ARCHITECTURE = "amd64"
SBOM_NAME = "sbom.spdx.json"
NOTICES_NAME = "THIRD-PARTY-NOTICES.txt"
NEEDED_BYTES = 3 * 10**9
"""What a build from nothing writes below the cache directory, rounded up."""

KEPT_IMAGES, KEPT_TREES = 4, 2
"""How many of those used last stay in the cache: enough to go back and forth between two branches."""
ABANDONED_SECONDS = 24 * 3600
"""After this, nobody works on a build any more."""

_STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
_BOOT_LOADER = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
_LOADER_CONFIGURATION = "timeout 0\neditor no\nauto-firmware no\nauto-entries no\n"
_SOURCES = (
    "os",
    "src/pinwheel/settings",
    "src/pinwheel/api",
    "src/pinwheel/node",
    "src/pinwheel/image",
    "requirements/node.txt",
)


@dataclass(frozen=True)
class BuiltImage:
    """The output directory of a build."""

    directory: Path
    variant: str

    @property
    def disk(self) -> Path:
        """The raw disk image, a sparse file."""
        return self.directory / f"pinwheel-{self.variant}.raw"


def ensure_image(variant: str, progress: Progress) -> BuiltImage:
    """Give the image of a variant as the checkout says it is now; build it when the cache does not have it.

    Raises:
        PinwheelError: what the steps of `build_image` raise.
    """
    return build_image(variant, BuildContext(progress))


def build_image(variant: str, context: BuildContext) -> BuiltImage:
    """Build a variant into the cache; what is there already is used.

    Raises:
        UsageFault: the variant's declarations are wrong.
        CheckFailed: the result breaks a rule of what an image may hold.
        EnvironmentFault: mirror, disk, or a tool failed; nothing half-made is left.
    """
    keys = secure_boot_keys()
    if context.mode is not LockMode.UPDATE and lock_file(variant).exists():
        done = context.cache / "images" / _key(variant, context, keys)
        if (done / MANIFEST_NAME).exists():
            os.utime(done)
            return BuiltImage(done, variant)
    _check_space(context.cache)
    toolbox = get_toolbox(context)
    lock, files = get_packages(variant, toolbox, context)
    tree = make_tree(variant_source(variant), lock, files, toolbox, context.cache, context.progress)
    os.utime(tree)
    target = context.cache / "images" / _key(variant, context, keys)
    if not (target / MANIFEST_NAME).exists():
        _build_whole(variant, tree, lock, keys, toolbox, target, context)
        forget_old(target.parent, f"{variant}-*", KEPT_IMAGES)
        forget_old(tree.parent, "*", KEPT_TREES)
    return BuiltImage(target, variant)


def _build_whole(
    variant: str,
    tree: Path,
    lock: PackageLock,
    keys: SecureBootKeys,
    toolbox: Toolbox,
    target: Path,
    context: BuildContext,
) -> None:
    """Build below a name that nobody looks at; the result gets its own name in one step."""
    with workspace_beside(target) as workspace:
        output = workspace / "output"
        output.mkdir()
        _build_into(output, variant, tree, lock, keys, toolbox, workspace, context)
        remove_tree(target)
        output.rename(target)


def _build_into(
    output: Path,
    variant: str,
    tree: Path,
    lock: PackageLock,
    keys: SecureBootKeys,
    toolbox: Toolbox,
    workspace: Path,
    context: BuildContext,
) -> None:
    progress, epoch = context.progress, lock.resolved_at
    definition = read_definition(variant)
    bake([build_host_container(one, context) for one in definition.host_containers], workspace / "baked")
    more = [workspace / "baked"] if definition.host_containers else []
    root = assemble_root(variant, tree, definition, lock, toolbox, workspace, context.cache, progress, more)
    report = check_rules(root.directory)
    report.raise_if_broken()
    name = output / f"pinwheel-{variant}"
    with progress.step("Sealing the root (erofs, dm-verity)"):
        sealed = seal_root(root.directory, toolbox, name, epoch)
    with progress.step("Making and signing the kernel image"):
        modules = KernelModules(tree / MODULES / root.kernel)
        make_initrd(modules, definition.initrd, toolbox, workspace / "initrd", epoch)
        parts = UkiParts(
            kernel=tree / f"boot/vmlinuz-{root.kernel}",
            initrd=workspace / "initrd",
            stub=tree / _STUB,
            os_release=root.os_release,
            kernel_release=root.kernel,
            root_hash=sealed.root_hash,
        )
        esp = _make_esp(parts, keys, tree, toolbox, workspace, name)
    with progress.step("Writing disk, SBOM and manifest"):
        partitions = make_disk(sealed, esp, toolbox, name.with_suffix(".raw"), epoch)
        facts = SbomFacts(root.facts.name, __version__, Artefact.of(sealed.image).sha256, epoch)
        (output / SBOM_NAME).write_text(make_sbom(facts, root.components))
        (output / NOTICES_NAME).write_text(make_notices(f"{root.facts.name} {__version__}", root.components, tree))
        _write_manifest(output, variant, root, sealed, partitions, report, lock)


def _make_esp(parts: UkiParts, keys: SecureBootKeys, tree: Path, toolbox: Toolbox, workspace: Path, name: Path) -> Path:
    """Make what the EFI system partition holds: boot loader, its configuration, the signed kernel image."""
    unsigned, signed = name.with_suffix(".unsigned.efi"), name.with_suffix(".efi")
    make_uki(parts, toolbox, unsigned)
    sign(unsigned, keys, toolbox, signed)
    esp = workspace / "esp"
    for directory in ("EFI/BOOT", "EFI/Linux", "loader"):
        (esp / directory).mkdir(parents=True)
    sign(tree / _BOOT_LOADER, keys, toolbox, esp / "EFI/BOOT/BOOTX64.EFI")
    shutil.copy(signed, esp / "EFI/Linux" / entry_name(__version__))
    (esp / "loader/loader.conf").write_text(_LOADER_CONFIGURATION)
    return esp


def _write_manifest(
    output: Path,
    variant: str,
    root: AssembledRoot,
    sealed: VerityRoot,
    partitions: list[PartitionRecord],
    report: RuleReport,
    lock: PackageLock,
) -> None:
    manifest = Manifest(
        name=root.facts.name,
        version=__version__,
        variant=variant,
        architecture=ARCHITECTURE,
        commit=_commit(),
        lock_digest=lock.digest(),
        kernel=root.kernel,
        root_hash=sealed.root_hash,
        partitions=partitions,
        artefacts=[Artefact.of(file) for file in sorted(output.iterdir())],
        rules=report.counts,
        packages=root.facts.packages,
        pruned=root.facts.pruned,
    )
    write_manifest(manifest, output)


def _commit() -> str | None:
    """Give the checkout's commit; none where there are changes on top of it, or no repository."""
    git = ["git", "-C", str(PROJECT)]
    try:
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=False)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    clean = status.returncode == 0 and not status.stdout.strip() and head.returncode == 0
    return head.stdout.strip() if clean else None


def _key(variant: str, context: BuildContext, keys: SecureBootKeys) -> str:
    """Name the image by everything that goes into it."""
    digest = hashlib.sha256(f"{__version__} {variant}".encode())
    for name in (TOOLBOX, variant):
        digest.update(context.current_lock(name).model_dump_json().encode())
    for file in _source_files(PROJECT / path for path in _SOURCES):
        digest.update(f"{file.relative_to(PROJECT)}\0".encode())
        digest.update(str(file.readlink()).encode() if file.is_symlink() else file.read_bytes())
    for container in read_definition(variant).host_containers:
        digest.update(container_key(container, context).encode())
    digest.update(keys.certificate.read_bytes())
    return f"{variant}-{digest.hexdigest()[:16]}"


def _source_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in files if (file.is_symlink() or file.is_file()) and not _is_made(file))


def _is_made(file: Path) -> bool:
    """Whether a file is no source: locks and host containers count where they are used, compiled Python not at all."""
    return "__pycache__" in file.parts or not {DEFINITION / "locks", CONTAINERS}.isdisjoint(file.parents)


def forget_old(directory: Path, pattern: str, keep: int) -> None:
    """Remove what was not used for longest, and what builds that were killed have left behind."""
    entries = [entry for entry in directory.glob(pattern) if not entry.name.startswith(".")]
    leftovers = [entry for entry in directory.glob(".new-*") if time.time() - entry.stat().st_mtime > ABANDONED_SECONDS]
    for entry in [*sorted(entries, key=lambda path: path.stat().st_mtime, reverse=True)[keep:], *leftovers]:
        remove_tree(entry)


def _check_space(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < NEEDED_BYTES:
        raise EnvironmentFault(
            f"{cache} has {free // 10**6} MB free, a build needs up to {NEEDED_BYTES // 10**6} MB",
            "make room, or point XDG_CACHE_HOME at a larger disk",
        )
