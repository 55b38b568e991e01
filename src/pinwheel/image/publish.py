# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From the cache to where the user wants it: the files of a build, its disk in the format that was asked for.

The manifest says what is beside it, of this build and of no other: files of an earlier build in the same directory go.
"""

import subprocess
import tempfile
from pathlib import Path

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.manifest import MANIFEST_NAME, Artefact, read_manifest, write_manifest
from pinwheel.image.toolbox import Toolbox

RAW, QCOW2 = ".raw", ".qcow2"
"""Suffixes of a disk image."""


def publish(source: Path, target: Path, qcow2_with: Toolbox | None = None) -> None:
    """Put a finished build into `target`: each file appears there whole, the manifest last.

    Args:
        source: the build's directory.
        target: any directory; files that are of no build stay.
        qcow2_with: the toolbox that makes a compressed qcow2 in the raw disk's place; None: the disk stays raw.

    Raises:
        UsageFault: the target is no directory and cannot become one.
        EnvironmentFault: copying failed, for example because the disk is full; no half-written file stays.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        fresh = tempfile.TemporaryDirectory(dir=target, prefix=".new-")
    except OSError as error:
        raise UsageFault(f"cannot write to {target}: {error.strerror}", "name a directory with --output") from error
    with fresh as workspace:
        _fill(Path(workspace), source, qcow2_with)
        _move(Path(workspace), target)


def _fill(workspace: Path, source: Path, qcow2_with: Toolbox | None) -> None:
    replaced = {}
    for file in sorted(source.iterdir()):
        if qcow2_with and file.suffix == RAW:
            replaced[file.name] = _convert(file, workspace, qcow2_with)
        else:
            _copy(file, workspace)
    if replaced:
        _name_instead(workspace, replaced)


def _copy(file: Path, directory: Path) -> None:
    done = subprocess.run(
        ["cp", "--sparse=always", "--reflink=auto", "--preserve=mode", str(file), str(directory)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise EnvironmentFault(f"could not copy {file.name}: {done.stderr.strip()}", "make room on that disk")


def _convert(disk: Path, directory: Path, toolbox: Toolbox) -> str:
    """Make a compressed qcow2 of a raw disk, and give its name."""
    result = directory / f"{disk.stem}{QCOW2}"
    toolbox.run(["qemu-img", "convert", "-c", "-O", "qcow2", disk, result], readable=[disk], writable=[directory])
    return result.name


def _name_instead(directory: Path, replaced: dict[str, str]) -> None:
    """Have the manifest name the disks that are there in the place of those that they were made from."""
    manifest = read_manifest(directory)
    artefacts = [
        Artefact.of(directory / replaced[one.name]) if one.name in replaced else one for one in manifest.artefacts
    ]
    artefacts.sort(key=lambda one: one.name)
    write_manifest(manifest.model_copy(update={"artefacts": artefacts}), directory)


def _move(workspace: Path, target: Path) -> None:
    fresh = sorted(workspace.iterdir(), key=lambda file: file.name == MANIFEST_NAME)
    stale = _of_earlier_builds(target, fresh) - {file.name for file in fresh}
    for file in fresh:
        file.rename(target / file.name)
    for name in stale:
        (target / name).unlink()


def _of_earlier_builds(target: Path, fresh: list[Path]) -> set[str]:
    """Give the names of files in `target` that an earlier build made: its manifest lists them, or they are its disk."""
    disks = {f"{file.stem}{suffix}" for file in fresh if file.suffix in (RAW, QCOW2) for suffix in (RAW, QCOW2)}
    try:
        listed = {one.name for one in read_manifest(target).artefacts}
    except UsageFault:  # no build was there
        listed = set()
    # Only names out of the directory itself: a manifest that somebody wrote cannot lead elsewhere.
    return (disks | listed) & {file.name for file in target.iterdir() if file.is_file()}
