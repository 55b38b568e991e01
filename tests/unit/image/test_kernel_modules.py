# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Indexes as depmod writes them."""

import lzma
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.kernel_modules import KernelModules, loading_table, module_name

DEPENDENCIES = """\
kernel/drivers/md/dm-mod.ko.xz:
kernel/drivers/md/dm-bufio.ko.xz: kernel/drivers/md/dm-mod.ko.xz
kernel/drivers/md/dm-verity.ko.xz: kernel/drivers/md/dm-bufio.ko.xz kernel/drivers/md/dm-mod.ko.xz
kernel/drivers/virtio/virtio.ko:
kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio.ko
"""
ALIASES = """\
# Aliases extracted from modules themselves.
alias virtio:d00000002v* virtio_blk
alias pci:v1AF4* virtio_blk
alias devname:device-mapper dm_mod
"""


@pytest.fixture
def modules(tmp_path: Path) -> KernelModules:
    (tmp_path / "modules.dep").write_text(DEPENDENCIES)
    (tmp_path / "modules.alias").write_text(ALIASES)
    (tmp_path / "modules.builtin").write_text("kernel/fs/ext4/ext4.ko\nkernel/drivers/net/net-core.ko\n")
    (tmp_path / "kernel/drivers/md").mkdir(parents=True)
    (tmp_path / "kernel/drivers/md/dm-mod.ko.xz").write_bytes(lzma.compress(b"dm-mod and its signature"))
    (tmp_path / "kernel/drivers/virtio").mkdir(parents=True)
    (tmp_path / "kernel/drivers/virtio/virtio.ko").write_bytes(b"virtio")
    return KernelModules(tmp_path)


def test_dependencies_come_before_what_needs_them(modules: KernelModules) -> None:
    assert modules.with_dependencies("dm-verity") == ["dm_mod", "dm_bufio", "dm_verity"]


@pytest.mark.parametrize("name", ["ext4", "net-core", "net_core"])
def test_built_in_module_needs_no_file(modules: KernelModules, name: str) -> None:
    assert modules.with_dependencies(name) == []


def test_unknown_module_is_named(modules: KernelModules) -> None:
    with pytest.raises(UsageFault, match="no module floppy"):
        modules.with_dependencies("floppy")


def test_aliases_are_those_of_the_module_alone(modules: KernelModules) -> None:
    assert list(modules.aliases("virtio-blk")) == ["virtio:d00000002v*", "pci:v1AF4*"]


def test_content_is_read_unpacked(modules: KernelModules) -> None:
    assert modules.read("dm_mod") == b"dm-mod and its signature"
    assert modules.read("virtio") == b"virtio"


@pytest.mark.parametrize("spelling", ["kernel/drivers/md/dm-verity.ko.xz", "dm-verity.ko", "dm-verity", "dm_verity"])
def test_every_spelling_gives_the_same_name(spelling: str) -> None:
    assert module_name(spelling) == "dm_verity"


def test_loading_table_has_what_every_machine_needs_first(modules: KernelModules) -> None:
    table, names = loading_table(modules, ["dm-verity", "ext4"], ["virtio_blk"])
    assert table.splitlines() == [
        "* dm_mod.ko dm_bufio.ko dm_verity.ko",
        "virtio:d00000002v* virtio.ko virtio_blk.ko",
        "pci:v1AF4* virtio.ko virtio_blk.ko",
    ]
    assert names == {"dm_mod", "dm_bufio", "dm_verity", "virtio", "virtio_blk"}


def test_only_modules_that_are_compressed_are_to_be_unpacked(modules: KernelModules) -> None:
    assert modules.packed_files(["virtio_blk", "ext4"]) == {"kernel/drivers/block/virtio_blk.ko.xz"}
