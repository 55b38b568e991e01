# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which user data is taken, from credentials and disks; what happens when a source fails."""

import gzip
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.support.node_root import put

from pinwheel.node.paths import BOOT_DISK, DISK_MOUNT_POINT, DISKS_BY_LABEL, UDEV_QUEUE, Paths
from pinwheel.node.user_data.credential import CredentialSource
from pinwheel.node.user_data.disk import DiskSource
from pinwheel.node.user_data.find import Found, find_user_data, sources
from pinwheel.node.user_data.source import SourceError
from pinwheel.settings.user_data import MAX_USER_DATA, parse_user_data

TEXT = b"[settings]\nmotd = 'disk'\n"


def test_credential_is_read(tmp_path):
    (tmp_path / "pinwheel.user-data").write_bytes(TEXT)
    assert find_user_data([CredentialSource(tmp_path)]) == Found("credential", TEXT)


def test_node_without_any_source_has_no_user_data(root, tmp_path):
    assert find_user_data(sources(root, {})) == Found("none", b"")
    assert find_user_data(sources(root, {"CREDENTIALS_DIRECTORY": str(tmp_path)})) == Found("none", b"")


def test_source_that_fails_is_reported_and_the_next_one_asked(tmp_path):
    broken, good = tmp_path / "broken", tmp_path / "good"
    (broken / "pinwheel.user-data").mkdir(parents=True)
    good.mkdir()
    (good / "pinwheel.user-data").write_bytes(TEXT)
    found = find_user_data([CredentialSource(broken), CredentialSource(good)])
    assert found.text == TEXT
    assert [problem.code for problem in found.problems] == ["source-failed"]


def test_first_source_that_has_something_is_taken(root, tmp_path):
    (tmp_path / "pinwheel.user-data").write_bytes(TEXT)
    put(root, UDEV_QUEUE, "")  # a disk would be waited for
    started = time.monotonic()
    assert find_user_data(sources(root, {"CREDENTIALS_DIRECTORY": str(tmp_path)})).source == "credential"
    assert time.monotonic() - started < 1


def test_gzip_bomb_is_stopped_at_the_limit(tmp_path):
    (tmp_path / "pinwheel.user-data").write_bytes(gzip.compress(b"#" * 100 * MAX_USER_DATA))
    found = find_user_data([CredentialSource(tmp_path)])
    assert len(found.text) == MAX_USER_DATA + 1
    assert [problem.code for problem in parse_user_data(found.text)[1]] == ["too-large"]


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:12] + b"xxxx" + data[16:]])
def test_damaged_gzip_is_reported(tmp_path, damage):
    (tmp_path / "pinwheel.user-data").write_bytes(damage(gzip.compress(os.urandom(1000))))
    found = find_user_data([CredentialSource(tmp_path)])
    assert found.text == b""
    assert [problem.code for problem in found.problems] == ["not-gzip"]


def test_disk_is_waited_for_while_udev_works(root):
    queue = put(root, UDEV_QUEUE, "")
    device = root.at(f"{DISKS_BY_LABEL}/CIDATA")
    device.parent.mkdir(parents=True)

    def udev() -> None:
        time.sleep(0.3)
        device.symlink_to("/dev/null")
        queue.unlink()

    threading.Thread(target=udev).start()
    with pytest.raises(SourceError, match="CIDATA cannot be mounted"):
        DiskSource(root).read()


def test_disk_is_waited_for_until_udev_has_begun(root):
    root.at(BOOT_DISK).unlink()
    device = root.at(f"{DISKS_BY_LABEL}/CIDATA")
    device.parent.mkdir(parents=True)

    def udev() -> None:
        time.sleep(0.3)
        device.symlink_to("/dev/null")
        put(root, BOOT_DISK, "")

    threading.Thread(target=udev).start()
    with pytest.raises(SourceError, match="CIDATA cannot be mounted"):
        DiskSource(root).read()


def known_file_systems() -> set[str]:
    return {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}


def make_file_system(kind: str, image: Path, content: Path) -> None:
    """Make an image labelled CIDATA that holds the files of a directory."""
    if kind == "ext4":
        subprocess.run(["mkfs.ext4", "-q", "-L", "CIDATA", "-d", content, image, "4M"], check=True)
    else:
        image.write_bytes(b"")
        os.truncate(image, 4 << 20)
        subprocess.run(["mkfs.vfat", "-n", "CIDATA", image], check=True, capture_output=True)
        files = [path for path in content.iterdir() if path.is_file()]
        subprocess.run(["mcopy", "-i", image, *files, "::"], check=True)


@pytest.fixture(params=["vfat", "ext4"])
def disk(request, root, tmp_path):
    """Give a function that makes a disk of a directory; the loop device goes away by itself once it is not mounted."""
    kind = request.param
    tools = {"vfat": ("mkfs.vfat", "mcopy"), "ext4": ("mkfs.ext4",)}[kind]
    if os.geteuid() != 0 or kind not in known_file_systems() or not all(map(shutil.which, (*tools, "losetup"))):
        pytest.skip(f"needs root, a kernel that knows {kind}, losetup, {', '.join(tools)}")
    devices = []

    def make(content: Path) -> DiskSource:
        image = tmp_path / "disk.img"
        make_file_system(kind, image, content)
        made = subprocess.run(["losetup", "--find", "--show", image], check=False, capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip(f"no loop device can be had here: {made.stderr.strip()}")
        devices.append(made.stdout.strip())
        link = root.at(f"{DISKS_BY_LABEL}/CIDATA")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(devices[-1])
        return DiskSource(root, (kind,))

    yield make
    subprocess.run(["umount", "--quiet", root.at(DISK_MOUNT_POINT)], check=False, capture_output=True)
    for device in devices:
        subprocess.run(["losetup", "--detach", device], check=False)


def is_mounted(root: Paths) -> bool:
    return str(root.at(DISK_MOUNT_POINT)) in Path("/proc/self/mounts").read_text()


def test_user_data_is_read_from_a_disk_which_is_unmounted_again(root, disk, tmp_path):
    content = tmp_path / "content"
    content.mkdir()
    (content / "user-data.toml").write_bytes(TEXT)
    assert find_user_data([disk(content)]) == Found("disk", TEXT)
    assert not is_mounted(root)


def test_disk_without_the_file_is_reported(root, disk, tmp_path):
    content = tmp_path / "content"
    content.mkdir()
    (content / "other").write_bytes(TEXT)
    with pytest.raises(SourceError, match="the disk has no"):
        disk(content).read()
    assert not is_mounted(root)


def test_link_on_a_disk_leads_nowhere(root, disk, tmp_path):
    content = tmp_path / "content"
    content.mkdir()
    (content / "user-data.toml").symlink_to("/etc/passwd")
    source = disk(content)
    if source.file_systems == ("vfat",):
        pytest.skip("vfat has no links")
    with pytest.raises(SourceError, match="cannot be read"):
        source.read()
    assert not is_mounted(root)
