# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What differs between two images."""

import pytest

from pinwheel.image.compare import compare
from pinwheel.image.entries import FileEntry
from pinwheel.image.manifest import PackageRecord, PrunedSummary
from pinwheel.image.report import ImageReport, Inspection, PartitionUse

ESP = PartitionUse(name="esp", type="", offset=0, size=1000, kind="esp", used=10)


def inspection(
    version="0.1.0", packages=("runc 1.1",), command_line="ro quiet", files=(), digests=None, shells=0
) -> Inspection:
    records = [
        PackageRecord(name=one.split()[0], version=one.split()[1], source="", architecture="") for one in packages
    ]
    report = ImageReport(
        name="pinwheel", version=version, variant="docker", format="raw", disk_size=1, kernel="6.12", root_hash="ab",
        command_line=command_line, signed=True, kernel_images=[], partitions=[ESP], root_size=1, unpacked_size=2,
        counts={"shell": shells}, violations=[], dangling_links=[], packages=records, programs=[], largest_files=[],
        pruned=PrunedSummary(),
    )  # fmt: skip
    return Inspection(report, tuple(files), digests or {})


def test_an_image_does_not_differ_from_itself():
    found = compare(inspection(), inspection())
    assert found.identical
    assert found.files_changed == []


def test_packages_are_added_removed_and_changed():
    found = compare(inspection(packages=("a 1", "b 1", "c 1")), inspection(packages=("b 2", "c 1", "d 1")))
    assert [(one.name, one.after) for one in found.packages_added] == [("d", "1")]
    assert [(one.name, one.before) for one in found.packages_removed] == [("a", "1")]
    assert [(one.name, one.before, one.after) for one in found.packages_changed] == [("b", "1", "2")]
    assert not found.identical


def test_words_of_the_command_line_are_added_and_removed():
    found = compare(inspection(), inspection(command_line="ro panic=10"))
    assert (found.command_line_removed, found.command_line_added) == (["quiet"], ["panic=10"])


def test_counts_and_versions_show_both_values():
    found = compare(inspection(), inspection(version="0.2.0", shells=1))
    assert [(one.name, one.before, one.after) for one in found.counts] == [("shell", 0, 1)]
    assert [(one.name, one.before, one.after) for one in found.facts] == [("version", "0.1.0", "0.2.0")]


@pytest.mark.parametrize(
    ("after", "digest"),
    [
        (FileEntry("etc/motd", "file", 0o600, size=3), "x"),
        (FileEntry("etc/motd", "file", 0o644, size=4), "x"),
        (FileEntry("etc/motd", "file", 0o644, uid=7, size=3), "x"),
        (FileEntry("etc/motd", "file", 0o644, size=3), "other content"),
        (FileEntry("etc/motd", "symlink", 0o777, target="issue"), ""),
    ],
)
def test_a_file_changes_by_mode_size_owner_content_and_type(after, digest):
    before = inspection(files=[FileEntry("etc/motd", "file", 0o644, size=3)], digests={"etc/motd": "x"})
    found = compare(before, inspection(files=[after], digests={"etc/motd": digest}))
    assert [one.path for one in found.files_changed] == ["/etc/motd"]


def test_files_are_added_and_removed():
    found = compare(
        inspection(files=[FileEntry("a", "file", 0o644)]), inspection(files=[FileEntry("b", "directory", 0o755)])
    )
    assert [one.path for one in found.files_removed] == ["/a"]
    assert [one.path for one in found.files_added] == ["/b"]
