# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What `pinwheel build` refuses, and how its result gets to where the user wants it."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pinwheel.cli import build as verb
from pinwheel.cli.build import publish
from pinwheel.errors import EnvironmentFault, PinwheelError, UsageFault

app = typer.Typer(pretty_exceptions_enable=False)
verb.add_to(app)


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


def refusal(*words: str) -> PinwheelError:
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, PinwheelError)
    return result.exception


def test_locked_and_update_lock_exclude_each_other() -> None:
    error = refusal("--locked", "--update-lock")
    assert isinstance(error, UsageFault)
    assert "--update-lock" in error.message


def test_qcow2_needs_a_place_to_write_to() -> None:
    error = refusal("--format", "qcow2")
    assert isinstance(error, UsageFault)
    assert error.hint == "add --output DIR"


def test_unknown_format_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["--format", "vmdk"]).exit_code == 2


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
