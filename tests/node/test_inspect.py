# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel image show` and `image diff` on real disks, made with the tools of the build."""

import json
import os
import shutil
import stat
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.compare import compare
from pinwheel.image.disk import MIB, VerityRoot, make_disk, seal_root
from pinwheel.image.entries import scan
from pinwheel.image.erofs import Erofs
from pinwheel.image.inspect import inspect_image
from pinwheel.image.keys import secure_boot_keys
from pinwheel.image.report import Inspection
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.uki import UkiParts, command_line, entry_name, make_uki, sign

EPOCH = 1_700_000_000
STUB = "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
BOOT_LOADER = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
KERNEL = "6.12.0-test-amd64"
RUNC = {"name": "runc", "version": "1.1.15", "source": "runc", "architecture": "amd64"}
FACTS = {
    "name": "pinwheel-docker",
    "version": "0.1.0",
    "variant": "docker",
    "kernel": KERNEL,
    "packages": [RUNC],
    "pruned": {"files": 3, "bytes": 5000, "packages": {"runc": {"files": 3, "bytes": 5000}}},
}


def make_root(root: Path, version: str = "1.1.15") -> Path:
    """Write a root with one file of each sort; what breaks a rule is in it on purpose."""
    facts = {**FACTS, "packages": [{**RUNC, "version": version}]}
    for path, content, mode in (
        ("usr/share/pinwheel/image.json", json.dumps(facts).encode(), 0o644),
        ("usr/bin/innocent", Path("/bin/sh").resolve().read_bytes(), 0o755),
        ("usr/bin/runc", version.encode() * 5000, 0o755),
        ("usr/bin/mount", b"program", 0o4755),
        ("usr/sbin/adduser", b"#!/usr/bin/perl\n", 0o755),
        ("etc/shadow", b"root:*::::::\n", 0o000),
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/resolv.conf")
    (root / "etc/localtime").symlink_to("../usr/share/missing")
    for number in range(300):  # more names than one directory block holds
        (root / f"etc/many-names-{number:04}").touch(0o644)
    if os.geteuid() == 0:
        os.mknod(root / "etc/null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        os.setxattr(root / "usr/bin/runc", "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
        os.chown(root / "etc/shadow", 0, 42)
    return root


def make_image(directory: Path, toolbox: Toolbox, version: str = "1.1.15") -> tuple[Path, VerityRoot]:
    """Make a whole disk as a build does, around a small root and a kernel that is none."""
    directory.mkdir()
    sealed = seal_root(make_root(directory / "root", version), toolbox, directory / "pinwheel-docker", EPOCH)
    for name, content in (("linux", b"kernel" * 1000), ("initrd", b"initrd" * 1000), ("os-release", b"ID=pinwheel\n")):
        (directory / name).write_bytes(content)
    shutil.copy(toolbox.root / STUB, directory / "stub")
    parts = UkiParts(
        directory / "linux",
        directory / "initrd",
        directory / "stub",
        directory / "os-release",
        KERNEL,
        sealed.root_hash,
    )
    make_uki(parts, toolbox, directory / "unsigned.efi")
    esp = directory / "esp"
    (esp / "EFI/Linux").mkdir(parents=True)
    (esp / "EFI/BOOT").mkdir()
    sign(
        directory / "unsigned.efi",
        secure_boot_keys(directory / "keys"),
        toolbox,
        esp / "EFI/Linux" / entry_name("0.1.0"),
    )
    shutil.copy(toolbox.root / BOOT_LOADER, esp / "EFI/BOOT/BOOTX64.EFI")
    disk = directory / "pinwheel-docker.raw"
    make_disk(sealed, esp, toolbox, disk, EPOCH)
    return disk, sealed


@pytest.fixture(scope="module")
def built(toolbox: Toolbox, tmp_path_factory) -> tuple[Path, VerityRoot]:
    return make_image(tmp_path_factory.mktemp("image") / "a", toolbox)


@pytest.fixture(scope="module")
def disk(built: tuple[Path, VerityRoot]) -> Path:
    return built[0]


@pytest.fixture(scope="module")
def inspection(disk: Path, toolbox: Toolbox, tmp_path_factory) -> Inspection:
    return inspect_image(disk, toolbox, tmp_path_factory.mktemp("scratch"))


def test_metadata_read_from_erofs_is_what_the_tree_has(built):
    disk, sealed = built
    entries = Erofs(memoryview(sealed.image.read_bytes())).entries()
    assert entries == [
        replace(entry, uid=found.uid, gid=found.gid)
        for entry, found in zip(scan(disk.parent / "root"), entries, strict=True)
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners_are_those_of_the_tree(built, inspection):
    owners = {entry.path: (entry.uid, entry.gid) for entry in inspection.entries}
    assert owners["etc/shadow"] == (0, 42)


def test_partitions_are_listed_with_what_is_used(inspection, built):
    _, sealed = built
    rows = {one.name: one for one in inspection.report.partitions}
    assert list(rows) == ["esp", "pinwheel-root-a", "pinwheel-verity-a", "pinwheel-root-b", "pinwheel-verity-b"]
    assert rows["pinwheel-root-a"].used == sealed.image.stat().st_size
    assert rows["pinwheel-verity-a"].used == sealed.tree.stat().st_size
    assert rows["pinwheel-root-b"].used == 0
    assert 50_000 < rows["esp"].used < rows["esp"].size
    assert rows["pinwheel-root-a"].kind == "root-x86-64"
    assert rows["pinwheel-root-a"].offset % MIB == 0


def test_root_hash_command_line_and_signature_come_from_the_kernel_image(inspection, built):
    _, sealed = built
    report = inspection.report
    assert report.root_hash == sealed.root_hash
    assert report.command_line == command_line(sealed.root_hash)
    assert report.kernel == KERNEL
    assert report.signed
    assert [one.path for one in report.kernel_images] == [f"EFI/Linux/{entry_name('0.1.0')}"]


def test_rules_are_counted_from_the_image_itself(inspection):
    counts = inspection.report.counts
    assert (counts["shell"], counts["setuid"], counts["dead-script"], counts["dangling-symlink"]) == (1, 1, 1, 1)
    assert "/usr/bin/innocent" in "\n".join(inspection.report.violations)
    if os.geteuid() == 0:
        assert (counts["device-node"], counts["capability"]) == (1, 1)


def test_packages_programs_largest_files_and_pruned_are_reported(inspection):
    report = inspection.report
    assert [(one.name, one.version) for one in report.packages] == [("runc", "1.1.15")]
    assert {one.path for one in report.programs} == {
        "/usr/bin/innocent",
        "/usr/bin/mount",
        "/usr/bin/runc",
        "/usr/sbin/adduser",
    }
    assert report.largest_files[0].path == "/usr/bin/innocent"
    assert report.pruned.packages["runc"].bytes == 5000


def test_a_qcow2_says_the_same_as_the_raw_disk(disk, inspection, toolbox, tmp_path):
    qcow2 = tmp_path / "disk.qcow2"
    toolbox.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, qcow2], readable=[disk], writable=[tmp_path])
    found = inspect_image(qcow2, toolbox, tmp_path / "scratch")
    assert found.report == inspection.report.model_copy(update={"format": "qcow2"})
    assert compare(inspection, found).identical
    assert not list((tmp_path / "scratch").iterdir())


def test_two_images_are_compared(inspection, toolbox, tmp_path):
    other, _ = make_image(tmp_path / "b", toolbox, version="1.1.16")
    found = compare(inspection, inspect_image(other.parent, toolbox, tmp_path / "scratch"))
    assert [(one.name, one.before, one.after) for one in found.packages_changed] == [("runc", "1.1.15", "1.1.16")]
    assert [one.path for one in found.files_changed] == ["/usr/bin/runc", "/usr/share/pinwheel/image.json"]
    assert len(found.command_line_added) == len(found.command_line_removed) == 1
    assert "root_hash" in {one.name for one in found.facts}


def test_a_file_that_is_no_disk_is_refused(toolbox, tmp_path):
    (tmp_path / "text.raw").write_text("no disk")
    with pytest.raises(UsageFault, match="no disk image with a GPT"):
        inspect_image(tmp_path / "text.raw", toolbox, tmp_path / "scratch")


@pytest.mark.parametrize("missing", [512, 100 * MIB])
def test_a_disk_that_is_cut_short_is_refused(disk, toolbox, tmp_path, missing):
    short = tmp_path / "short.raw"
    with disk.open("rb") as source:
        short.write_bytes(source.read(MIB))
    os.truncate(short, disk.stat().st_size - missing)
    with pytest.raises(UsageFault, match="cut short"):
        inspect_image(short, toolbox, tmp_path / "scratch")


def test_a_broken_qcow2_is_refused(toolbox, tmp_path):
    (tmp_path / "disk.qcow2").write_bytes(b"QFI\xfb" + bytes(100))
    with pytest.raises(UsageFault, match="broken qcow2"):
        inspect_image(tmp_path / "disk.qcow2", toolbox, tmp_path / "scratch")


def test_a_disk_without_a_root_is_refused(toolbox, tmp_path):
    disk = tmp_path / "data.raw"
    with disk.open("wb") as stream:
        stream.truncate(64 * MIB)
    toolbox.run(["sfdisk", "--quiet", disk], writable=[disk], input=b"label: gpt\n,,L\n")
    with pytest.raises(UsageFault, match="no root file system"):
        inspect_image(disk, toolbox, tmp_path / "scratch")


def test_a_broken_root_is_refused(disk, inspection, toolbox, tmp_path):
    broken = tmp_path / "broken.raw"
    toolbox.run(["cp", "--sparse=always", disk, broken], readable=[disk], writable=[tmp_path])
    root = next(one for one in inspection.report.partitions if one.name == "pinwheel-root-a")
    with broken.open("r+b") as stream:
        stream.seek(root.offset + 4096)
        stream.write(os.urandom(root.used - 4096))
    with pytest.raises(UsageFault, match="root file system"):
        inspect_image(broken, toolbox, tmp_path / "scratch")
