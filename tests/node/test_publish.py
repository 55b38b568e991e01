# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A build's disk as qcow2, made by the real qemu-img: the manifest says what is there."""

import json
from pathlib import Path

import pytest

from pinwheel.image.build import BuiltImage
from pinwheel.image.manifest import MANIFEST_NAME, Artefact, read_manifest
from pinwheel.image.publish import publish
from pinwheel.image.toolbox import Toolbox


@pytest.fixture(scope="module")
def published(image: BuiltImage, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image, published raw, then as qcow2 to the same directory."""
    target = tmp_path_factory.mktemp("published")
    publish(image.directory, target)
    publish(image.directory, target, toolbox)
    return target


def test_qcow2_is_in_the_place_of_the_raw_disk(image: BuiltImage, published: Path, toolbox: Toolbox) -> None:
    disk = published / f"{image.disk.stem}.qcow2"
    assert not (published / image.disk.name).exists()
    told = json.loads(toolbox.run(["qemu-img", "info", "--output=json", disk], readable=[disk]))
    assert (told["format"], told["virtual-size"]) == ("qcow2", image.disk.stat().st_size)
    assert b"Images are identical" in toolbox.run(
        ["qemu-img", "compare", disk, image.disk], readable=[disk, image.disk]
    )


def test_manifest_lists_what_is_there_with_its_hash(image: BuiltImage, published: Path) -> None:
    files = sorted(file for file in published.iterdir() if file.name != MANIFEST_NAME)
    assert read_manifest(published).artefacts == [Artefact.of(file) for file in files]
    before = read_manifest(image.directory)
    assert read_manifest(published).model_copy(update={"artefacts": before.artefacts}) == before


def test_raw_disk_takes_the_place_of_the_qcow2_again(image: BuiltImage, published: Path) -> None:
    publish(image.directory, published)
    assert {file.name for file in published.iterdir()} == {file.name for file in image.directory.iterdir()}
    assert read_manifest(published) == read_manifest(image.directory)
