# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The document that `pinwheel image show --json` prints, and what two images are compared by."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from pinwheel.image.efi import UkiFacts
from pinwheel.image.entries import FileEntry
from pinwheel.image.manifest import PackageRecord, PartitionRecord, PrunedSummary


class PartitionUse(PartitionRecord):
    """A partition, and how much of it is in use."""

    kind: str = Field(description="Short name of the type: esp, root-x86-64, ...")
    used: int | None = Field(description="Bytes; null when the content is not of a kind that tells.")


class FileSize(BaseModel):
    """A file of the root."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int = Field(description="Bytes, unpacked.")


class ImageReport(BaseModel):
    """What there is to know about an image: the document of `pinwheel image show --json`."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    name: str
    version: str
    variant: str
    format: str = Field(description="raw or qcow2")
    disk_size: int = Field(description="Bytes that the disk has for the machine.")
    kernel: str
    root_hash: str
    command_line: str
    signed: bool = Field(description="Whether the kernel image carries a Secure Boot signature.")
    kernel_images: list[UkiFacts]
    partitions: list[PartitionUse]
    root_size: int = Field(description="Bytes of the root's file system, compressed.")
    unpacked_size: int = Field(description="Bytes of its files.")
    counts: dict[str, int] = Field(description="Counts of every rule, of files and of programs.")
    violations: list[str]
    dangling_links: list[str]
    packages: list[PackageRecord]
    programs: list[FileSize]
    largest_files: list[FileSize]
    pruned: PrunedSummary


@dataclass(frozen=True)
class Inspection:
    """A report, with the files that it was made from: what two images are compared by."""

    report: ImageReport
    entries: tuple[FileEntry, ...]
    digests: dict[str, str]
    """Path -> SHA-256 of each regular file."""
