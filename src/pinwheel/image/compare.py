# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What differs between two images: what `pinwheel image diff` reports. Pure; it compares two inspections."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from pinwheel.image.report import Inspection

_Value = TypeVar("_Value")


class _Difference(BaseModel):
    model_config = ConfigDict(frozen=True)


class Change(_Difference):
    """A value that both images have, and that differs."""

    name: str
    before: str | int | None
    after: str | int | None


class FileState(_Difference):
    """What a file of the root is."""

    type: str
    mode: str = Field(description="Octal, four digits.")
    owner: str = Field(description="Numbers of user and group: 0:0.")
    size: int = Field(description="Bytes.")
    target: str = Field(default="", description="Where a symbolic link points to.")
    sha256: str = ""


class FileChange(_Difference):
    """A file that differs."""

    path: str
    before: FileState | None
    after: FileState | None


class ImageDiff(_Difference):
    """Everything that differs: the document of `pinwheel image diff --json`."""

    schema_version: int = 1
    identical: bool = Field(description="Whether nothing that is compared differs.")
    facts: list[Change] = Field(
        description="Name, version, variant, kernel, root hash, root and unpacked size, signature."
    )
    command_line_added: list[str]
    command_line_removed: list[str]
    partitions: list[Change] = Field(description="Sizes in bytes; null where an image does not have the partition.")
    packages_added: list[Change]
    packages_removed: list[Change]
    packages_changed: list[Change]
    files_added: list[FileChange]
    files_removed: list[FileChange]
    files_changed: list[FileChange]
    counts: list[Change]


_FACTS = ("name", "version", "variant", "kernel", "root_hash", "signed", "root_size", "unpacked_size")


def compare(before: Inspection, after: Inspection) -> ImageDiff:
    """Compare two images, the older one first."""
    old, new = before.report, after.report
    packages = _changes(_versions(before), _versions(after))
    files = _file_changes(_states(before), _states(after))
    old_words, new_words = old.command_line.split(), new.command_line.split()
    differences = {
        "facts": _changes(
            {key: _plain(getattr(old, key)) for key in _FACTS}, {key: _plain(getattr(new, key)) for key in _FACTS}
        ),
        "command_line_added": [word for word in new_words if word not in old_words],
        "command_line_removed": [word for word in old_words if word not in new_words],
        "partitions": _changes(
            {one.name: one.size for one in old.partitions}, {one.name: one.size for one in new.partitions}
        ),
        "packages_added": [one for one in packages if one.before is None],
        "packages_removed": [one for one in packages if one.after is None],
        "packages_changed": [one for one in packages if one.before is not None and one.after is not None],
        "files_added": [one for one in files if one.before is None],
        "files_removed": [one for one in files if one.after is None],
        "files_changed": [one for one in files if one.before and one.after],
        "counts": _changes(old.counts, new.counts),
    }
    return ImageDiff.model_validate({"identical": not any(differences.values()), **differences})


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _pairs(
    before: Mapping[str, _Value], after: Mapping[str, _Value]
) -> Iterable[tuple[str, _Value | None, _Value | None]]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def _changes(before: Mapping[str, _Value], after: Mapping[str, _Value]) -> list[Change]:
    found = ({"name": name, "before": old, "after": new} for name, old, new in _pairs(before, after))
    return [Change.model_validate(one) for one in found]


def _file_changes(before: Mapping[str, FileState], after: Mapping[str, FileState]) -> list[FileChange]:
    return [FileChange(path=f"/{path}", before=old, after=new) for path, old, new in _pairs(before, after)]


def _versions(inspection: Inspection) -> dict[str, str]:
    return {package.name: package.version for package in inspection.report.packages}


def _states(inspection: Inspection) -> dict[str, FileState]:
    return {
        entry.path: FileState(
            type=entry.type,
            mode=f"{entry.mode:04o}",
            owner=f"{entry.uid}:{entry.gid}",
            size=entry.size,
            target=entry.target,
            sha256=inspection.digests.get(entry.path, ""),
        )
        for entry in inspection.entries
    }
