# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Pruning small trees: what is chosen, what is copied, and what a wrong declaration says."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.definition import ImageDefinition
from pinwheel.image.host import as_root
from pinwheel.image.prune import MODULES, UNITS, copy, drop_setuid, kernel_release, plan
from pinwheel.image.workspace import remove_tree

KERNEL = f"{MODULES}/6.12.1-cloud-amd64"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for path in (
        "usr/bin/mount",
        "usr/bin/sh",
        "usr/lib/x86_64-linux-gnu/libnss_files.so.2",
        "etc/passwd",
        "etc/shadow",
        "usr/lib/udev/rules.d/50-a.rules",
        "usr/lib/udev/rules.d/60-b.rules",
        f"{UNITS}/sockets.target",
        f"{UNITS}/journald.socket",
        f"{UNITS}/debug-shell.service",
        f"{KERNEL}/kernel/fs/erofs/erofs.ko.xz",
        f"{KERNEL}/kernel/drivers/media/tuner.ko.xz",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"content of {path}")
    (root / f"{UNITS}/sockets.target.wants").mkdir()
    for unit in ("journald.socket", "debug-shell.service"):
        (root / f"{UNITS}/sockets.target.wants/{unit}").symlink_to(f"../{unit}")
    return root


def definition(**declared: list[str]) -> ImageDefinition:
    return ImageDefinition.model_validate({name.replace("_", "-"): value for name, value in declared.items()})


def chosen(tree: Path, **declared: list[str]) -> set[str]:
    """What is kept beside the kernel's modules, which are kept unless they are excluded."""
    return {path for path in plan(tree, definition(**declared)) if not path.startswith(MODULES)}


def test_nothing_is_kept_that_is_not_declared(tree: Path) -> None:
    assert chosen(tree) == set()


def test_programs_files_and_libraries_are_kept(tree: Path) -> None:
    kept = chosen(tree, programs=["/usr/bin/mount"], files=["/etc/passwd"], libraries=["libnss_files.so.2"])
    assert kept == {"usr/bin/mount", "etc/passwd", "usr/lib/x86_64-linux-gnu/libnss_files.so.2"}


def test_pattern_keeps_all_that_it_matches(tree: Path) -> None:
    kept = chosen(tree, files=["/usr/lib/udev/rules.d/*.rules"])
    assert kept == {"usr/lib/udev/rules.d/50-a.rules", "usr/lib/udev/rules.d/60-b.rules"}


def test_unit_comes_with_the_links_of_kept_targets_that_want_it(tree: Path) -> None:
    kept = chosen(tree, units=["sockets.target", "journald.socket"])
    links = {path for path in kept if ".wants/" in path}
    assert links == {f"{UNITS}/sockets.target.wants/journald.socket"}


def test_unit_is_not_wanted_by_a_target_that_is_not_kept(tree: Path) -> None:
    assert chosen(tree, units=["journald.socket"]) == {f"{UNITS}/journald.socket"}


def test_kernel_modules_are_kept_but_for_the_excluded_ones(tree: Path) -> None:
    kept = plan(tree, definition(excluded_kernel_modules=["drivers/media/*"]))
    assert kept == {f"{KERNEL}/kernel/fs/erofs/erofs.ko.xz"}


def test_everything_that_is_declared_and_missing_is_named_at_once(tree: Path) -> None:
    with pytest.raises(UsageFault) as caught:
        plan(
            tree,
            definition(
                programs=["/usr/bin/gone"],
                files=["/etc/gone.d/*"],
                libraries=["libgone.so.1"],
                units=["gone.service"],
                excluded_kernel_modules=["drivers/gone/*"],
            ),
        )
    assert caught.value.message.splitlines()[1:] == [
        "  program /usr/bin/gone is in no package",
        "  file /etc/gone.d/* matches nothing",
        "  library libgone.so.1 is in no package",
        "  unit gone.service is in no package",
        "  excluded kernel module drivers/gone/* matches nothing",
    ]


def test_tree_must_have_one_kernel(tree: Path) -> None:
    assert kernel_release(tree) == "6.12.1-cloud-amd64"
    (tree / MODULES / "6.13.0").mkdir()
    with pytest.raises(UsageFault, match="2 kernels"):
        kernel_release(tree)


def test_tree_without_a_kernel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    with pytest.raises(UsageFault, match="0 kernels"):
        kernel_release(tmp_path)


def test_copy_has_the_chosen_files_and_the_directories_of_every_root(tree: Path, tmp_path: Path) -> None:
    copy(tree, {"etc/passwd", f"{UNITS}/journald.socket"}, tmp_path / "root")
    root = tmp_path / "root"
    assert (root / "etc/passwd").read_text() == "content of etc/passwd"
    assert not (root / "etc/shadow").exists()
    assert (root / "bin").readlink() == Path("usr/bin")
    assert {"dev", "proc", "run", "sys", "tmp", "var"} <= {path.name for path in root.iterdir()}


def test_copy_keeps_owners_modes_and_links(tree: Path, tmp_path: Path) -> None:
    (tree / "usr/bin/mount").chmod(0o4755)
    (tree / "etc").chmod(0o750)
    (tree / "usr/bin/umount").symlink_to("mount")
    subprocess.run(as_root(["chown", "7:8", str(tree / "etc/passwd")]), check=True)
    owner = (tree / "etc/passwd").stat()
    root = tmp_path / "root"
    try:
        copy(tree, {"usr/bin/mount", "usr/bin/umount", "etc/passwd"}, root)
        assert stat.S_IMODE((root / "usr/bin/mount").stat().st_mode) == 0o4755
        assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o750
        assert (root / "usr/bin/umount").readlink() == Path("mount")
        copied = (root / "etc/passwd").stat()
        assert (copied.st_uid, copied.st_gid) == (owner.st_uid, owner.st_gid)
    finally:
        remove_tree(root)
        remove_tree(tree)


def test_copy_does_not_depend_on_the_users_mask(tree: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        copy(tree, {"etc/passwd"}, tmp_path / "root")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "root").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "root/var").stat().st_mode) == 0o755


def test_setuid_and_setgid_are_dropped_from_the_named_programs_alone(tree: Path) -> None:
    for name in ("mount", "sh"):
        (tree / "usr/bin" / name).chmod(0o6755)
    drop_setuid(["/usr/bin/mount"], tree)
    assert stat.S_IMODE((tree / "usr/bin/mount").stat().st_mode) == 0o755
    assert stat.S_IMODE((tree / "usr/bin/sh").stat().st_mode) == 0o6755
