# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A small root, sealed and put on a disk by the real tools: twice the same, and changed nowhere without notice."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image.disk import ESP_BYTES, ROOT_BYTES, VERITY_BYTES, VerityRoot, make_disk, seal_root
from pinwheel.image.partitions import read_partitions
from pinwheel.image.toolbox import Toolbox

EPOCH = 1_700_000_000
FILES = {"usr/bin/program": b"program" * 4000, "etc/hosts": b"127.0.0.1 localhost\n", "usr/lib/empty": b""}
LOADER = ["EFI/BOOT/BOOTX64.EFI", "EFI/Linux/pinwheel_1+3.efi", "loader/loader.conf"]


def make_tree(directory: Path, names: list[str], when: float) -> Path:
    """Write the files in the order of `names`, as if at the time `when`."""
    for name in names:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(FILES[name])
        file.chmod(0o755 if "bin/" in name else 0o644)
    (directory / "usr/bin/link").symlink_to("program")
    for path in [*directory.rglob("*"), directory]:
        os.utime(path, (when, when), follow_symlinks=False)
    return directory


def make_esp(directory: Path, names: list[str], when: float) -> Path:
    for name in names:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode() * 1000)
    for path in [*directory.rglob("*"), directory]:
        os.utime(path, (when, when))
    return directory


@pytest.fixture(scope="module")
def builds(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[VerityRoot, Path]]:
    """The same root and ESP, built in two places, from files made in another order at another time."""
    made = []
    for name, order, when in (("one", 1, time.time()), ("another-place", -1, EPOCH - 1e6)):
        directory = tmp_path_factory.mktemp(name)
        tree = make_tree(directory / "tree", list(FILES)[::order], when)
        sealed = seal_root(tree, toolbox, directory / "image", EPOCH)
        disk = directory / "disk.raw"
        make_disk(sealed, make_esp(directory / "esp", LOADER[::order], when), toolbox, disk, EPOCH)
        made.append((sealed, disk))
    return made


def test_same_files_give_the_same_root_and_tree_byte_for_byte(builds: list[tuple[VerityRoot, Path]]) -> None:
    (one, _), (other, _) = builds
    assert one.root_hash == other.root_hash
    assert one.image.read_bytes() == other.image.read_bytes()
    assert one.tree.read_bytes() == other.tree.read_bytes()


def test_same_files_give_the_same_disk_byte_for_byte(builds: list[tuple[VerityRoot, Path]]) -> None:
    (_, one), (_, other) = builds
    assert first_difference(one, other) is None


def first_difference(one: Path, other: Path) -> int | None:
    """Give the first place of either file's data (holes are skipped) where the two differ; None: nowhere."""
    assert one.stat().st_size == other.stat().st_size
    with one.open("rb") as left, other.open("rb") as right:
        for start, end in sorted({*data_ranges(left), *data_ranges(right)}):
            if os.pread(left.fileno(), end - start, start) != os.pread(right.fileno(), end - start, start):
                return start
    return None


def data_ranges(file: BinaryIO) -> Iterator[tuple[int, int]]:
    end, size = 0, os.fstat(file.fileno()).st_size
    while end < size:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError:  # nothing but a hole up to the end
            return
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, end


def test_files_of_the_esp_are_on_the_disk(builds: list[tuple[VerityRoot, Path]], toolbox: Toolbox) -> None:
    _, disk = builds[0]
    esp = read_partitions(disk, toolbox)[0]
    listed = toolbox.run(["mdir", "-/", "-b", "-i", f"{disk}@@{esp.offset}", "::"], readable=[disk]).decode()
    assert {line.removeprefix("::/") for line in listed.split() if not line.endswith("/")} == set(LOADER)


def test_disk_is_sparse(builds: list[tuple[VerityRoot, Path]]) -> None:
    _, disk = builds[0]
    assert disk.stat().st_size > ESP_BYTES + 2 * (ROOT_BYTES + VERITY_BYTES)
    assert disk.stat().st_blocks * 512 < 64 << 20


def test_nothing_else_is_left_beside_the_disk(builds: list[tuple[VerityRoot, Path]]) -> None:
    _, disk = builds[0]
    assert sorted(path.name for path in disk.parent.iterdir()) == [
        "disk.raw", "esp", "image.erofs", "image.verity", "tree",
    ]  # fmt: skip


def test_root_is_verified_by_its_hash(builds: list[tuple[VerityRoot, Path]], toolbox: Toolbox) -> None:
    sealed, _ = builds[0]
    verify(sealed.image, sealed, toolbox)


@pytest.mark.parametrize("place", [1024, -1], ids=["superblock", "last-byte"])
def test_one_changed_byte_of_the_root_is_noticed(
    builds: list[tuple[VerityRoot, Path]], toolbox: Toolbox, tmp_path: Path, place: int
) -> None:
    sealed, _ = builds[0]
    content = bytearray(sealed.image.read_bytes())
    content[place] ^= 1
    (tmp_path / "changed").write_bytes(content)
    with pytest.raises(EnvironmentFault, match="Verification"):
        verify(tmp_path / "changed", sealed, toolbox)


def test_other_content_has_another_hash(
    builds: list[tuple[VerityRoot, Path]], toolbox: Toolbox, tmp_path: Path
) -> None:
    tree = make_tree(tmp_path / "tree", list(FILES), EPOCH)
    (tree / "etc/hosts").chmod(0o600)
    assert seal_root(tree, toolbox, tmp_path / "image", EPOCH).root_hash != builds[0][0].root_hash


def verify(image: Path, sealed: VerityRoot, toolbox: Toolbox) -> None:
    toolbox.run(
        ["veritysetup", "verify", image, sealed.tree, sealed.root_hash], readable=[image, sealed.tree], root=True
    )
