# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Files are put in place whole, with their mode, and go when the settings no longer ask for them."""

import os
import stat

import pytest

from pinwheel.node.files import write_atomically


def test_file_and_directories_come_into_being_with_their_modes(tmp_path):
    previous = os.umask(0o077)
    try:
        write_atomically(tmp_path / "a" / "b", b"x", 0o644)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o644


def test_secret_file_is_never_readable_by_others(tmp_path):
    (tmp_path / "key").write_bytes(b"old")
    write_atomically(tmp_path / "key", b"new", 0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert (tmp_path / "key").read_bytes() == b"new"


def test_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "key").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "key", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"safe")
    (tmp_path / f".key.{os.getpid()}.new").symlink_to(victim)
    write_atomically(tmp_path / "key", b"new")
    assert victim.read_bytes() == b"safe"
