# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a build says about its result: `manifest.json` next to the disk image, and `image.json` inside of it.

Programs read these files, of this version and of later ones: keys are only ever added while `schema_version` stays.
"""

import hashlib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinwheel.errors import UsageFault

MANIFEST_NAME = "manifest.json"
IMAGE_FACTS_PATH = "usr/share/pinwheel/image.json"
"""Where an image says what it is, relative to its root."""

_SHA256 = r"^[0-9a-f]{64}$"
_READ_BYTES = 1 << 20


class _Document(BaseModel):
    """Read leniently, so that an older `pinwheel` understands a newer image; never changed after it was made."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PackageRecord(_Document):
    """A Debian package of which files are in the image."""

    name: str
    version: str
    source: str
    architecture: str


class PrunedCount(_Document):
    """How much was left out."""

    files: int = 0
    bytes: int = 0


class PrunedSummary(PrunedCount):
    """How much was left out in all, and of each package."""

    packages: dict[str, PrunedCount] = Field(default_factory=dict)


class PartitionRecord(_Document):
    """One partition of the disk."""

    name: str
    type: str = Field(description="The partition type's GUID, in upper case.")
    uuid: str = Field(default="", description="The partition's own GUID, in upper case.")
    offset: int = Field(description="Bytes from the start of the disk.")
    size: int = Field(description="Bytes.")


class Artefact(_Document):
    """One file of a build's output."""

    name: str
    size: int = Field(description="Bytes.")
    sha256: str = Field(pattern=_SHA256)

    @classmethod
    def of(cls, file: Path) -> Self:
        """Measure a file."""
        digest = hashlib.sha256()
        with file.open("rb") as stream:
            while block := stream.read(_READ_BYTES):
                digest.update(block)
        return cls(name=file.name, size=file.stat().st_size, sha256=digest.hexdigest())


class Manifest(_Document):
    """Everything that a build says about its result."""

    schema_version: Literal[1] = 1
    name: str = Field(description="pinwheel-docker")
    version: str
    variant: str
    architecture: str = Field(description="As Debian names it: amd64.")
    commit: str | None = Field(
        default=None, description="The commit that it was built from; none outside of a clean checkout."
    )
    lock_digest: str = Field(description="PackageLock.digest of the packages that it was built from.")
    kernel: str = Field(description="Release, as uname -r says it.")
    root_hash: str = Field(pattern=_SHA256, description="dm-verity root hash of the root file system.")
    partitions: list[PartitionRecord]
    artefacts: list[Artefact]
    rules: dict[str, int] = Field(description="Counts of every rule of the root (RuleReport.counts).")
    packages: list[PackageRecord]
    pruned: PrunedSummary


class ImageFacts(_Document):
    """What an image says about itself, from inside (`image.json`); read by the node and by `pinwheel image show`."""

    name: str
    version: str
    variant: str
    kernel: str = ""
    packages: list[PackageRecord] = Field(default_factory=list)
    pruned: PrunedSummary = Field(default_factory=PrunedSummary)


def write_manifest(manifest: Manifest, directory: Path) -> Path:
    """Write `manifest.json` into a build's output directory; the same manifest gives the same bytes."""
    file = directory / MANIFEST_NAME
    file.write_text(manifest.model_dump_json(indent=2) + "\n")
    return file


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a build's output directory.

    Raises:
        UsageFault: there is none, or it is not one.
    """
    file = directory / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageFault(
            f"cannot read {file}: {error.strerror}", "give the output directory of pinwheel build"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageFault(f"{file} is no manifest: {where}: {first['msg']}", "build the image again") from error
