# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Rules of what an image may not hold, on real small trees and on lists of entries."""

import os
import shutil
import socket
import stat
import struct
from pathlib import Path

import pytest

from pinwheel.errors import CheckFailed
from pinwheel.image.content import Content
from pinwheel.image.entries import FileEntry
from pinwheel.image.rules import RULES, Allowed, check_entries, check_rules

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes and file capabilities")
CAP_NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)


def put(root: Path, path: str, content: bytes = b"data", mode: int = 0o644) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def broken(root: Path, allowed: Allowed | None = None) -> set[tuple[str, str]]:
    return {(violation.rule, violation.path) for violation in check_rules(root, allowed).violations}


def program(path: str, **content) -> FileEntry:
    return FileEntry(path, "file", 0o755, content=Content(is_elf_program=True, **content))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "root"
    put(tree, "usr/bin/systemctl", mode=0o755)
    put(tree, "etc/os-release")
    return tree


def test_a_clean_root_breaks_nothing_and_counts_every_rule(root):
    report = check_rules(root)
    assert report.violations == ()
    assert {rule: report.counts[rule] for rule in RULES} == dict.fromkeys(RULES, 0)
    assert (report.counts["files"], report.counts["programs"]) == (2, 1)
    report.raise_if_broken()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("sh", "shell"),
        ("dash", "shell"),
        ("busybox", "shell"),
        ("python3.13", "interpreter"),
        ("perl5.40.1", "interpreter"),
        ("mawk", "interpreter"),
        ("lua5.4", "interpreter"),
        ("gdb", "interpreter"),
        ("apt-get", "package-manager"),
        ("pip3", "package-manager"),
        ("x86_64-linux-gnu-gcc-14", "compiler"),
        ("ld.bfd", "compiler"),
        ("make", "compiler"),
        ("sshd", "ssh-server"),
    ],
)
def test_a_forbidden_name_is_found(root, name, rule):
    put(root, f"usr/bin/{name}", mode=0o755)
    assert broken(root) == {(rule, f"usr/bin/{name}")}


def test_a_link_with_a_forbidden_name_is_found(root):
    (root / "usr/bin/sh").symlink_to("systemctl")
    assert broken(root) == {("shell", "usr/bin/sh")}


def test_a_forbidden_name_outside_of_program_directories_is_data(root):
    put(root, "usr/share/bash-completion/completions/make")
    (root / "usr/lib/python").mkdir(parents=True)
    assert broken(root) == set()


def test_a_program_with_a_forbidden_name_is_found_anywhere(root):
    put(root, "opt/tools/perl", mode=0o755)
    assert broken(root) == {("interpreter", "opt/tools/perl")}


def test_names_that_only_resemble_forbidden_ones_are_fine(root):
    for name in ("ssh-keygen", "dashboard", "containerd-shim-runc-v2", "mkfs.ext4", "ld-linux-x86-64.so.2", "assemble"):
        put(root, f"usr/bin/{name}", mode=0o755)
    assert broken(root) == set()


def test_a_renamed_shell_is_found_by_its_content(root):
    shutil.copy(Path("/bin/sh").resolve(), root / "usr/bin/innocent")
    assert broken(root) == {("shell", "usr/bin/innocent")}


def test_a_renamed_interpreter_is_found_by_its_content(root):
    shutil.copy("/usr/bin/perl", root / "usr/bin/innocent")
    assert broken(root) == {("interpreter", "usr/bin/innocent")}


def test_only_the_launcher_may_link_libpython():
    needs_python = {"needed": ("libpython3.13.so.1.0", "libc.so.6")}
    report = check_entries(
        [program("usr/lib/pinwheel/launch", **needs_python), program("usr/bin/tool", **needs_python)]
    )
    assert [str(one) for one in report.violations] == ["/usr/bin/tool: links libpython3.13.so.1.0 (interpreter)"]


def test_setuid_and_setgid_files_are_found(root):
    put(root, "usr/bin/mount", mode=0o4755)
    put(root, "usr/bin/chage", mode=0o2755)
    assert broken(root) == {("setuid", "usr/bin/mount"), ("setgid", "usr/bin/chage")}


def test_world_writable_files_and_directories_are_found_even_sticky_ones(root):
    put(root, "etc/motd", mode=0o666)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    assert broken(root) == {("world-writable", "etc/motd"), ("world-writable", "tmp")}


@NEEDS_ROOT
def test_device_nodes_are_found_with_their_numbers(root):
    os.mknod(root / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    assert [str(one) for one in check_rules(root).violations] == ["/null: character device 1:3 (device-node)"]


def test_fifos_and_sockets_are_found(root):
    os.mkfifo(root / "fifo", 0o600)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    (root / "socket").chmod(0o600)
    assert broken(root) == {("special-file", "fifo"), ("special-file", "socket")}


@NEEDS_ROOT
def test_file_capabilities_are_found_unless_declared(root):
    os.setxattr(put(root, "usr/bin/ping", mode=0o755), "security.capability", CAP_NET_RAW)
    report = check_rules(root)
    assert [str(one) for one in report.violations] == ["/usr/bin/ping: has cap_net_raw (capability)"]
    assert report.counts["capabilities"] == 1
    assert not broken(root, Allowed(capabilities={"usr/bin/ping": frozenset({"cap_net_raw"})}))
    assert broken(root, Allowed(capabilities={"usr/bin/ping": frozenset({"cap_chown"})}))


def test_a_script_whose_interpreter_is_missing_is_dead(root):
    put(root, "usr/sbin/adduser", b"#!/usr/bin/missing -w\n", 0o755)
    put(root, "usr/sbin/other", b"#! /usr/bin/env -S missing -w\n", 0o755)
    assert broken(root) == {("dead-script", "usr/sbin/adduser"), ("dead-script", "usr/sbin/other")}


def test_a_script_whose_interpreter_is_there_lives(root):
    put(root, "usr/sbin/nft", mode=0o755)
    (root / "sbin").symlink_to("usr/sbin")
    put(root, "etc/nftables.conf", b"#!/sbin/nft -f\n", 0o755)
    put(root, "usr/bin/env", mode=0o755)
    put(root, "etc/other.conf", b"#!/usr/bin/env nft\n", 0o755)
    assert broken(root) == set()


def test_python_source_is_found(root):
    put(root, "usr/lib/pinwheel/python/boot.py")
    put(root, "usr/lib/pinwheel/python/boot.pyc")
    assert broken(root) == {("python-source", "usr/lib/pinwheel/python/boot.py")}


def test_dangling_links_are_counted_unless_their_target_appears_on_the_node(root):
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/resolv.conf")
    (root / "etc/mtab").symlink_to("../proc/self/mounts")
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/missing")
    (root / "etc/loop").symlink_to("loop")
    report = check_rules(root)
    assert report.dangling == ("etc/localtime", "etc/loop")
    assert report.counts["dangling-symlink"] == 2
    assert not report.violations


def test_a_file_that_breaks_a_rule_twice_counts_once_for_it():
    entry = program("usr/bin/bash", markers=frozenset({"bash"}))
    report = check_entries([entry])
    assert len(report.violations) == 2
    assert report.counts["shell"] == 1


def test_the_build_fails_naming_every_file(root):
    put(root, "usr/bin/sh", mode=0o4755)
    put(root, "etc/motd", mode=0o666)
    with pytest.raises(CheckFailed) as failure:
        check_rules(root).raise_if_broken()
    assert "/usr/bin/sh: forbidden by its name (shell)" in failure.value.message
    assert "/usr/bin/sh: mode 4755 (setuid)" in failure.value.message
    assert "/etc/motd: file of mode 0666 (world-writable)" in failure.value.message
    assert failure.value.hint
