# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The same source and lock give the same bytes: in another directory, at another time, from a toolbox made anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pinwheel.image.build import BuiltImage, build_image
from pinwheel.image.inputs import BuildContext
from pinwheel.image.manifest import read_manifest
from pinwheel.paths import cache_directory
from pinwheel.progress import SilentProgress

pytestmark = pytest.mark.vm

FETCHED = ("packages", "wheels", "locks")
"""What comes from the network and is checked against hashes; everything else is made again."""
SAME = (".erofs", ".verity", ".unsigned.efi")


@pytest.fixture
def other_cache(image: BuiltImage) -> Path:
    """A cache on the same file system that holds nothing but what was fetched."""
    cache = cache_directory() / "again"
    shutil.rmtree(cache, ignore_errors=True)
    for name in FETCHED:
        if (cache_directory() / name).exists():
            shutil.copytree(cache_directory() / name, cache / name, copy_function=os.link)
    return cache


def test_two_builds_give_the_same_root_hash_tree_and_kernel_image(image: BuiltImage, other_cache: Path) -> None:
    try:
        again = build_image(image.variant, BuildContext(SilentProgress(), cache=other_cache))
        assert again.directory != image.directory
        assert hashes(again) == hashes(image), difference(image, again)
    finally:
        shutil.rmtree(other_cache, ignore_errors=True)


def difference(first: BuiltImage, second: BuiltImage) -> str:
    command = [sys.executable, "-m", "pinwheel.cli", "image", "diff", str(first.directory), str(second.directory)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


def hashes(image: BuiltImage) -> dict[str, str]:
    found = {one.name: one.sha256 for one in read_manifest(image.directory).artefacts if one.name.endswith(SAME)}
    assert len(found) == len(SAME)
    return found
