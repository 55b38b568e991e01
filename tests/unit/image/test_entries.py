# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Files of an image, and where its links lead."""

import struct
from pathlib import Path

import pytest

from pinwheel.image.entries import FileEntry, Tree, parse_capabilities, scan


def test_a_tree_is_described_sorted_and_without_following_links(tmp_path: Path):
    (tmp_path / "b").mkdir(mode=0o750)
    (tmp_path / "b/file").write_bytes(b"12345")
    (tmp_path / "a").symlink_to("/etc")
    entries = scan(tmp_path)
    assert [(entry.path, entry.type, entry.size, entry.target) for entry in entries] == [
        ("a", "symlink", 0, "/etc"),
        ("b", "directory", 0, ""),
        ("b/file", "file", 5, ""),
    ]
    assert entries[1].mode == 0o750


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        (struct.pack("<5I", 0x02000001, 1 << 10 | 1 << 13, 0, 0, 0), ("cap_net_bind_service", "cap_net_raw")),
        (struct.pack("<5I", 0x02000000, 0, 1, 0, 0), ("cap_chown",)),
        (struct.pack("<6I", 0x03000001, 0, 0, 1 << 7, 0, 1000), ("cap_bpf",)),
        (struct.pack("<3I", 0x01000001, 1 << 21, 0), ("cap_sys_admin",)),
        (struct.pack("<5I", 0x02000001, 0, 0, 1 << 31, 0), ("cap_63",)),
    ],
)
def test_capabilities_of_every_revision_are_read(attribute, names):
    assert parse_capabilities(attribute) == names


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/bin/tool", "usr/bin/tool"),
        ("bin/../bin/alias", "usr/bin/tool"),
        ("usr/bin/outside", None),
        ("usr/bin/up", "usr/bin/tool"),
        ("loop", None),
        ("missing", None),
        ("/", ""),
    ],
)
def test_links_lead_where_the_image_says_never_to_the_workstation(path, leads_to):
    tree = Tree(
        [
            FileEntry("usr", "directory", 0o755),
            FileEntry("usr/bin", "directory", 0o755),
            FileEntry("usr/bin/tool", "file", 0o755),
            FileEntry("usr/bin/alias", "symlink", 0o777, target="tool"),
            FileEntry("usr/bin/up", "symlink", 0o777, target="../../../../usr/bin/alias"),
            FileEntry("usr/bin/outside", "symlink", 0o777, target="/etc/passwd"),
            FileEntry("bin", "symlink", 0o777, target="usr/bin"),
            FileEntry("loop", "symlink", 0o777, target="loop"),
        ]
    )
    found = tree.resolve(path)
    assert (found.path if found else None) == leads_to
