# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Look into a finished image: what `pinwheel image show` reports, measured from the image itself, not quoted from its
build.

Works on an output directory, a raw disk or a qcow2, without any privilege; nothing of the image is run or mounted.
"""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path

from pydantic import ValidationError

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.content import read_content
from pinwheel.image.efi import UkiFacts, read_uki
from pinwheel.image.entries import FileEntry
from pinwheel.image.erofs import Erofs, is_erofs
from pinwheel.image.manifest import IMAGE_FACTS_PATH, ImageFacts, PartitionRecord
from pinwheel.image.partitions import read_partitions, type_name, used_bytes
from pinwheel.image.report import FileSize, ImageReport, Inspection, PartitionUse
from pinwheel.image.rules import check_entries
from pinwheel.image.toolbox import Toolbox

LARGEST_FILES = 20
"""How many of the largest files a report lists."""

_QCOW2_MAGIC = b"QFI\xfb"
_HINT = "give a raw or qcow2 disk image, or the output directory of pinwheel build"
_REBUILD = "build the image again, or copy it again"


@dataclass(frozen=True)
class _Disk:
    """A disk under inspection."""

    name: Path
    """What the caller called it."""
    raw: Path
    partitions: list[PartitionRecord]
    view: memoryview
    toolbox: Toolbox
    scratch: Path
    """An empty directory to unpack into."""

    def content(self, partition: PartitionRecord) -> memoryview:
        """Give a partition's bytes."""
        return self.view[partition.offset : partition.offset + partition.size]

    def of_kind(self, kind: str) -> list[PartitionRecord]:
        """Give the partitions of one type."""
        return [one for one in self.partitions if type_name(one.type) == kind]


@dataclass(frozen=True)
class _Esp:
    kernel_images: list[UkiFacts]
    """Newest first."""
    used: int


@dataclass(frozen=True)
class _Root:
    partition: PartitionRecord
    entries: list[FileEntry]
    digests: dict[str, str]
    facts: ImageFacts


def inspect_image(path: Path, toolbox: Toolbox, workspace: Path) -> Inspection:
    """Look into an image.

    Args:
        path: an output directory of `pinwheel build`, a raw disk, or a qcow2.
        toolbox: whose tools read partition table, boot partition and compressed files.
        workspace: a directory for temporary files: the unpacked root, and a qcow2's content.

    Raises:
        UsageFault: it is no such image, or is broken.
    """
    source = find_disk(path)
    workspace.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=workspace, prefix=".inspect-") as scratch,
        _raw(source, toolbox, Path(scratch)) as raw,
    ):
        disk = _Disk(source, raw, read_partitions(raw, toolbox), _map(raw), toolbox, Path(scratch))
        esp = _read_esp(disk)
        root = _read_root(disk, _choose_root(disk, esp.kernel_images))
        return Inspection(_report(disk, esp, root), tuple(root.entries), root.digests)


def find_disk(path: Path) -> Path:
    """Give the disk image that `path` means: itself, or the one in an output directory.

    Raises:
        UsageFault: there is none, or more than one.
    """
    if not path.is_dir():
        if not path.exists():
            raise UsageFault(f"there is no {path}", _HINT)
        return path
    for pattern in ("*.raw", "*.qcow2"):
        disks = sorted(path.glob(pattern))
        if len(disks) == 1:
            return disks[0]
        if disks:
            raise UsageFault(f"{path} holds more than one disk image", f"name one: {', '.join(map(str, disks))}")
    raise UsageFault(f"{path} holds no disk image", _HINT)


def _format(disk: Path) -> str:
    try:
        with disk.open("rb") as stream:
            return "qcow2" if stream.read(4) == _QCOW2_MAGIC else "raw"
    except OSError as error:
        raise UsageFault(f"cannot read {disk}: {error.strerror}", _HINT) from error


@contextmanager
def _raw(disk: Path, toolbox: Toolbox, scratch: Path) -> Iterator[Path]:
    """Give the disk's content as a raw file, for as long as it is needed."""
    source = disk.resolve()
    if _format(source) == "raw":
        yield source
        return
    raw = scratch / "disk.raw"
    try:
        toolbox.run(
            ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", source, raw], readable=[source], writable=[scratch]
        )
    except EnvironmentFault as error:
        raise UsageFault(f"{disk} is a broken qcow2: {error.message}", "copy or build the image again") from error
    yield raw
    raw.unlink()


def _map(disk: Path) -> memoryview:
    with disk.open("rb") as stream:
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def _read_esp(disk: _Disk) -> _Esp:
    """Copy the boot partition's files out, and read the kernel images among them."""
    esp = next(iter(disk.of_kind("esp")), None)
    if esp is None:
        return _Esp([], 0)
    copy = disk.scratch / "esp"
    copy.mkdir()
    command: list[str | Path] = ["mcopy", "-s", "-n", "-Q", "-i", f"{disk.raw}@@{esp.offset}", "::", copy]
    try:
        disk.toolbox.run(command, readable=[disk.raw], writable=[copy])
    except EnvironmentFault as error:
        raise UsageFault(f"the boot partition of {disk.name} cannot be read: {error.message}", _REBUILD) from error
    files = sorted((file for file in copy.rglob("*") if file.is_file()), reverse=True)
    found = [read_uki(file, str(file.relative_to(copy))) for file in files if file.suffix.lower() == ".efi"]
    return _Esp([uki for uki in found if uki], sum(file.stat().st_size for file in files))


def _choose_root(disk: _Disk, kernel_images: list[UkiFacts]) -> PartitionRecord:
    """Choose the root that the newest kernel image boots; without one, the first that holds a file system."""
    roots = [one for one in disk.of_kind("root-x86-64") if is_erofs(disk.content(one))]
    if not roots:
        raise UsageFault(f"{disk.name} holds no root file system of Pinwheel", _HINT)
    booted = (root for kernel in kernel_images for root in roots if _belongs(root, kernel))
    return next(booted, roots[0])


def _belongs(root: PartitionRecord, kernel: UkiFacts) -> bool:
    """Whether this kernel image boots this root: its partition's UUID is the first half of the root hash."""
    return bool(kernel.root_hash) and root.uuid.replace("-", "").lower() == kernel.root_hash[:32].lower()


def _read_root(disk: _Disk, partition: PartitionRecord) -> _Root:
    """Read metadata from the file system itself, and contents from a copy: unpacking loses owners and devices."""
    metadata = Erofs(disk.content(partition)).entries()
    copy = disk.scratch / "root"
    copy.mkdir()
    command: list[str | Path] = [
        "fsck.erofs",
        f"--extract={copy}",
        "--overwrite",
        "--no-preserve",
        f"--offset={partition.offset}",
        disk.raw,
    ]
    try:
        disk.toolbox.run(command, readable=[disk.raw], writable=[copy])
    except EnvironmentFault as error:
        raise UsageFault(f"the root file system of {disk.name} is broken: {error.message}", _REBUILD) from error
    entries, digests = [], {}
    for entry in metadata:
        if entry.type == "file":
            file = _readable(copy / entry.path)
            entries.append(replace(entry, content=read_content(file)))
            digests[entry.path] = _digest(file)
        else:
            entries.append(entry)
    return _Root(partition, entries, digests, _image_facts(copy / IMAGE_FACTS_PATH, disk))


def _readable(file: Path) -> Path:
    if not file.stat().st_mode & 0o400:
        file.chmod(0o600)
    return file


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _image_facts(file: Path, disk: _Disk) -> ImageFacts:
    try:
        return ImageFacts.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageFault(f"{disk.name} is not Pinwheel's: its root has no valid /{IMAGE_FACTS_PATH}", _HINT) from error


def _report(disk: _Disk, esp: _Esp, root: _Root) -> ImageReport:
    rules = check_entries(root.entries)
    kernel = next((one for one in esp.kernel_images if _belongs(root.partition, one)), None)
    files = [FileSize(path=f"/{one.path}", size=one.size) for one in root.entries if one.type == "file"]
    programs = {f"/{one.path}" for one in root.entries if one.is_program}
    return ImageReport(
        name=root.facts.name,
        version=root.facts.version,
        variant=root.facts.variant,
        format=_format(disk.name),
        disk_size=len(disk.view),
        kernel=kernel.kernel if kernel else root.facts.kernel,
        root_hash=kernel.root_hash if kernel else "",
        command_line=kernel.command_line if kernel else "",
        signed=bool(kernel and kernel.signed),
        kernel_images=esp.kernel_images,
        partitions=[_use(one, disk, esp) for one in disk.partitions],
        root_size=used_bytes(disk.content(root.partition)) or 0,
        unpacked_size=sum(one.size for one in files),
        counts=rules.counts,
        violations=[str(violation) for violation in rules.violations],
        dangling_links=[f"/{path}" for path in rules.dangling],
        packages=sorted(root.facts.packages, key=lambda one: one.name),
        programs=[one for one in files if one.path in programs],
        largest_files=sorted(files, key=lambda one: (-one.size, one.path))[:LARGEST_FILES],
        pruned=root.facts.pruned,
    )


def _use(partition: PartitionRecord, disk: _Disk, esp: _Esp) -> PartitionUse:
    kind = type_name(partition.type)
    used = esp.used if kind == "esp" else used_bytes(disk.content(partition))
    return PartitionUse(**partition.model_dump(), kind=kind, used=used)
