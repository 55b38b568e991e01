# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Layers, good ones and hostile ones, unpacked as on a node: by a process that has the target as its root."""

import gzip
import io
import os
import stat
import tarfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from tests.support.oci_image import Entry, layer

from pinwheel.node.containers.confine import run_below
from pinwheel.node.containers.layer import Limits, Usage, apply_layer
from pinwheel.node.containers.oci import ImageError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot(2) is root's")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/precious").write_text("precious")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def unpack(root: Path, *layers: bytes | list[Entry], limits: Limits = Limits()) -> Usage:
    used = Usage()
    for one in layers:
        packed = io.BytesIO(one if isinstance(one, bytes) else layer(one))
        used = Usage(*run_below(root, partial(apply_layer, packed, limits, used)))
    return used


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def untouched(root: Path) -> bool:
    outside = root.parent / "outside"
    return {file.name: file.read_text() for file in outside.iterdir()} == {"precious": "precious"}


def test_files_have_their_content_owner_mode_and_time(root: Path) -> None:
    unpack(root, [
        Entry("etc", "dir", mode=0o750, uid=3, gid=4, mtime=1_600_000_000),
        Entry("etc/passwd", content=b"root", mode=0o4755, uid=1000, gid=100),
        Entry("pipe", "fifo", mode=0o600),
        Entry("empty"),
    ])  # fmt: skip
    status = (root / "etc/passwd").stat()
    assert (root / "etc/passwd").read_bytes() == b"root"
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, status.st_mtime) == (0o4755, 1000, 100, 1.7e9)
    directory = (root / "etc").stat()
    assert (stat.S_IMODE(directory.st_mode), directory.st_uid, directory.st_mtime) == (0o750, 3, 1.6e9)
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)
    assert (root / "empty").read_bytes() == b""


def test_links_are_kept_as_they_are(root: Path) -> None:
    unpack(root, [
        Entry("a", content=b"x"), Entry("b", "hard", target="a"), Entry("c", "link", target="a"),
        Entry("d", "link", target="/nowhere/../../x"), Entry("deep/e", "hard", target="./c"),
    ])  # fmt: skip
    assert (root / "a").stat().st_ino == (root / "b").stat().st_ino
    assert (root / "c").readlink() == Path("a")
    assert str((root / "d").readlink()) == "/nowhere/../../x"
    assert (root / "deep/e").is_symlink()


def test_capabilities_of_files_are_kept_and_other_attributes_are_not(root: Path) -> None:
    # struct vfs_cap_data, revision 2: CAP_NET_RAW permitted, effective
    capability = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    unpack(root, [Entry("ping", headers={
        "SCHILY.xattr.security.capability": capability.decode("latin-1"),
        "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.user.note": "kept",
    })])  # fmt: skip
    assert os.getxattr(root / "ping", "security.capability") == capability
    assert set(os.listxattr(root / "ping")) == {"security.capability", "user.note"}


@pytest.mark.parametrize("pieces", [1, 3])
def test_gzip_is_unpacked_in_one_piece_or_in_several(root: Path, pieces: int) -> None:
    plain = layer([Entry("a", content=b"x" * 10_000)])
    step = len(plain) // pieces + 1
    unpack(root, b"".join(gzip.compress(plain[start : start + step]) for start in range(0, len(plain), step)))
    assert (root / "a").stat().st_size == 10_000


def test_whiteouts_take_away_what_the_layers_below_have(root: Path) -> None:
    unpack(
        root,
        [Entry("a/1"), Entry("a/2"), Entry("b/1"), Entry("c/1"), Entry("c/d/1"), Entry("keep")],
        [
            *(Entry(name) for name in ("a/.wh.1", ".wh.b", "c/new", "c/.wh..wh..opq", ".wh.missing", "x/.wh.y")),
        ],
    )
    assert names(root) == {"a", "a/2", "c", "c/new", "keep"}


def test_whiteout_of_what_the_same_layer_brings_leaves_that(root: Path) -> None:
    unpack(root, [Entry("a/old"), Entry("a/both")], [Entry("a/both", content=b"new"), Entry(".wh.a")])
    assert names(root) == {"a", "a/both"}
    assert (root / "a/both").read_bytes() == b"new"


def test_what_is_in_the_way_gives_way(root: Path) -> None:
    unpack(
        root,
        [Entry("a/1"), Entry("b"), Entry("c", "link", target="/outside"), Entry("d/x"), Entry("e", content=b"shared")],
        [Entry("a", content=b"file"), Entry("b", "dir"), Entry("c", content=b"file"), Entry("d", "dir", mode=0o700)],
        [Entry("f", "hard", target="e")],
        [Entry("f", content=b"own")],
    )
    assert (root / "a").read_bytes() == (root / "c").read_bytes() == b"file"
    assert not (root / "c").is_symlink()
    assert (root / "b").is_dir()
    assert (root / "d/x").exists()
    assert (root / "e").read_bytes() == b"shared"


@pytest.mark.parametrize("entries", [
    [Entry("../outside/planted")],
    [Entry("a/../../outside/planted")],
    [Entry("x", "hard", target="../outside/precious"), Entry("x", content=b"gone")],
    [Entry(".wh...")],
    [Entry("a/.wh.")],
], ids=["up", "down and up", "hard link", "whiteout of the parent", "whiteout of nothing"])  # fmt: skip
def test_names_that_lead_out_are_refused(root: Path, entries: list[Entry]) -> None:
    with pytest.raises(ImageError):
        unpack(root, entries)
    assert untouched(root)


OUTSIDE = ["../outside", "/../outside", "../../../../../../../../../../tmp", "{outside}", "/proc/1/root"]


@pytest.mark.parametrize("target", OUTSIDE)
def test_links_that_lead_out_lead_nowhere(root: Path, target: str) -> None:
    target = target.format(outside=root.parent / "outside")
    attack = [Entry("way", "link", target=target), Entry("way/precious", content=b"gone"), Entry("way/.wh.precious")]
    with suppress(ImageError, OSError):
        unpack(root, attack)
    assert untouched(root)


def test_absolute_names_are_of_the_image(root: Path) -> None:
    unpack(root, [Entry("/etc/planted"), Entry("//x"), Entry("./y"), Entry(".", "dir", mode=0o711)])
    assert names(root) == {"etc", "etc/planted", "x", "y"}
    assert not Path("/etc/planted").exists()
    assert stat.S_IMODE(root.stat().st_mode) == 0o711


def test_device_nodes_are_left_out_and_counted(root: Path) -> None:
    used = unpack(root, [Entry("dev", "dir"), Entry("dev/sda", "block"), Entry("dev/mem", "char"), Entry("a")])
    assert used.devices == 2
    assert names(root) == {"dev", "a"}


def test_bomb_is_stopped_at_the_limit(root: Path) -> None:
    bomb = gzip.compress(layer([Entry(f"{n}", content=bytes(2_000_000)) for n in range(10)]))
    assert len(bomb) < 100_000
    with pytest.raises(ImageError, match="too large"):
        unpack(root, bomb, limits=Limits(size=5_000_000))
    assert sum(file.stat().st_size for file in root.iterdir()) <= 5_000_000


def test_limit_is_for_all_layers_together(root: Path) -> None:
    half = [Entry("a", content=bytes(600))]
    with pytest.raises(ImageError, match="too large"):
        unpack(root, half, half, limits=Limits(size=1000))


def test_entries_are_counted_too(root: Path) -> None:
    with pytest.raises(ImageError, match="too large"):
        unpack(root, [Entry(f"{n}") for n in range(11)], limits=Limits(entries=10))


def test_sparse_bomb_counts_as_what_it_would_become(root: Path) -> None:
    header = tarfile.TarInfo("sparse")
    header.size = 512
    header.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse",
                          "GNU.sparse.realsize": str(10**15)}  # fmt: skip
    content = header.tobuf(tarfile.PAX_FORMAT) + b"0\n".ljust(512, b"\0") + bytes(1024)
    with pytest.raises(ImageError, match="too large"):
        unpack(root, content)


def test_header_that_asks_for_all_memory_is_refused(root: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 6 * 10**9
    with pytest.raises(ImageError):
        unpack(root, gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(400_000_000), 1))


@pytest.mark.parametrize("content", [
    b"", b"not a tar archive at all" * 100, b"\x1f\x8b\x08\0garbage", layer([Entry("a", content=b"x" * 2000)])[:1500],
    gzip.compress(layer([Entry("a", content=os.urandom(2000))]))[:1000],
], ids=["empty", "text", "bad gzip", "cut", "cut gzip"])  # fmt: skip
def test_what_is_no_archive_is_refused(root: Path, content: bytes) -> None:
    with pytest.raises(ImageError):
        unpack(root, content)


def test_zstd_is_refused_with_a_way_out(root: Path) -> None:
    with pytest.raises(ImageError, match="push the image with gzip"):
        unpack(root, b"\x28\xb5\x2f\xfd" + bytes(100))


def test_deep_trees_are_unpacked_and_removed_and_too_deep_ones_refused(root: Path) -> None:
    deep = "/".join(["d"] * 250)
    unpack(root, [Entry(f"{deep}/file")], [Entry(".wh.d")])
    assert names(root) == set()
    with pytest.raises(ImageError, match="directories deep"):
        unpack(root, [Entry("/".join(["d"] * 1500))])
