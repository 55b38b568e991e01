# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How a build gets to where the user wants it: whole, with nothing of an earlier build beside it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.manifest import Artefact, Manifest, PrunedSummary, write_manifest
from pinwheel.image.publish import publish


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """An output directory, whose disk is a sparse file."""
    directory = tmp_path / "built"
    directory.mkdir()
    (directory / "manifest.json").write_text("{}")
    with (directory / "pinwheel-docker.raw").open("wb") as disk:
        disk.write(b"start")
        disk.truncate(1 << 26)
    return directory


def test_result_is_published_whole_and_stays_sparse(built: Path, tmp_path: Path) -> None:
    publish(built, tmp_path / "new/output")
    disk = tmp_path / "new/output/pinwheel-docker.raw"
    assert sorted(file.name for file in disk.parent.iterdir()) == ["manifest.json", "pinwheel-docker.raw"]
    assert disk.stat().st_size == 1 << 26
    assert disk.stat().st_blocks * 512 < 1 << 20


def test_result_takes_the_place_of_the_one_before_and_of_nothing_else(built: Path, tmp_path: Path) -> None:
    target = tmp_path / "output"
    target.mkdir()
    (target / "manifest.json").write_text("old")
    (target / "notes.txt").write_text("the user's")
    publish(built, target)
    assert (target / "manifest.json").read_text() == "{}"
    assert (target / "notes.txt").read_text() == "the user's"


def test_failed_copy_leaves_what_was_there(built: Path, tmp_path: Path) -> None:
    target = tmp_path / "output"
    target.mkdir()
    (target / "manifest.json").write_text("old")
    (built / "unreadable").symlink_to(tmp_path / "gone")
    with pytest.raises(EnvironmentFault, match="could not copy unreadable"):
        publish(built, target)
    assert [file.name for file in target.iterdir()] == ["manifest.json"]
    assert (target / "manifest.json").read_text() == "old"


@pytest.mark.parametrize("below", [".", "deeper"])
def test_target_that_is_a_file_is_refused(built: Path, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UsageFault, match="cannot write to"):
        publish(built, tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "precious"


def test_target_that_takes_no_files_is_refused(built: Path) -> None:
    with pytest.raises(UsageFault, match="cannot write to /proc"):
        publish(built, Path("/proc"))


def list_in_manifest(directory: Path, *names: str) -> None:
    """Write the manifest of a build that made these files, and the files."""
    for name in names:
        (directory / name).write_text("of an earlier build")
    manifest = Manifest(
        name="pinwheel-docker",
        version="0.1.0",
        variant="docker",
        architecture="amd64",
        lock_digest="ab" * 32,
        kernel="6.12.0-cloud-amd64",
        root_hash="cd" * 32,
        partitions=[],
        artefacts=[Artefact.of(directory / name) for name in names],
        rules={},
        packages=[],
        pruned=PrunedSummary(),
    )
    write_manifest(manifest, directory)


def test_files_that_only_the_build_before_made_are_removed(built: Path, tmp_path: Path) -> None:
    target = tmp_path / "output"
    target.mkdir()
    list_in_manifest(target, "pinwheel-other.raw", "sbom.spdx.json", "pinwheel-docker.raw")
    (target / "notes.txt").write_text("the user's")
    publish(built, target)
    assert {file.name for file in target.iterdir()} == {"manifest.json", "notes.txt", "pinwheel-docker.raw"}
    assert (target / "pinwheel-docker.raw").stat().st_size == 1 << 26


def test_disk_in_another_format_is_removed_whatever_its_manifest_said(built: Path, tmp_path: Path) -> None:
    target = tmp_path / "output"
    target.mkdir()
    (target / "pinwheel-docker.qcow2").write_text("of an earlier build")
    publish(built, target)
    assert {file.name for file in target.iterdir()} == {"manifest.json", "pinwheel-docker.raw"}


@pytest.mark.parametrize("name_of", [lambda file: f"../{file.name}", str], ids=["relative", "absolute"])
def test_manifest_that_somebody_wrote_removes_nothing_elsewhere(
    built: Path, tmp_path: Path, name_of: Callable[[Path], str]
) -> None:
    target, precious = tmp_path / "output", tmp_path / "precious"
    precious.write_text("the user's")
    target.mkdir()
    list_in_manifest(target, "file")
    text = (target / "manifest.json").read_text()
    (target / "manifest.json").write_text(text.replace('"file"', f'"{name_of(precious)}"'))
    publish(built, target)
    assert precious.read_text() == "the user's"
