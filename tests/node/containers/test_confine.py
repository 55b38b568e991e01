# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a process that unpacks may do, once it has started."""

import os
import socket
from pathlib import Path

import pytest

from pinwheel.node.containers.confine import run_below
from pinwheel.node.containers.oci import ImageError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot(2) is root's")


def names(directory: str) -> list[str]:
    return [file.name for file in Path(directory).iterdir()]


def test_the_directory_is_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run_below(tmp_path, lambda: names("/")) == ["file"]
    assert run_below(tmp_path, lambda: names("/../..")) == ["file"]
    assert run_below(tmp_path, os.getcwd) == "/"


def test_no_privilege_is_left_but_for_making_files(tmp_path: Path) -> None:
    descriptor = os.open("/proc/self", os.O_RDONLY)  # of the parent, which the child inherits

    def effective() -> str:
        file = os.open(f"../{os.getpid()}/status", os.O_RDONLY, dir_fd=descriptor)
        lines = dict(line.split(":\t", 1) for line in os.read(file, 8192).decode().splitlines() if ":\t" in line)
        return " ".join(lines[name] for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "NoNewPrivs"))

    files = f"{sum(1 << n for n in (0, 1, 3, 4, 31)):016x}"
    try:
        assert run_below(tmp_path, effective).split() == [files, files, "0" * 16, files, "1"]
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("deed", [
    lambda: os.mknod("/null", 0o20666, os.makedev(1, 3)), lambda: os.chroot("/"), lambda: os.setuid(5),
    lambda: socket.sethostname("planted"),
])  # fmt: skip
def test_deeds_of_root_are_refused(tmp_path: Path, deed) -> None:
    with pytest.raises(OSError, match="PermissionError"):
        run_below(tmp_path, deed)


def test_files_of_others_are_made(tmp_path: Path) -> None:
    def work() -> None:
        os.close(os.open("/file", os.O_CREAT))
        os.chown("/file", 1, 2)
        Path("/file").chmod(0o6755)

    run_below(tmp_path, work)
    made = (tmp_path / "file").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o7777) == (1, 2, 0o6755)


def test_memory_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="memory"):
        run_below(tmp_path, lambda: len(bytearray(2 * 10**9)))


def test_errors_come_back(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ImageError("no")

    with pytest.raises(ImageError, match=r"^no$"):
        run_below(tmp_path, refuse)
    with pytest.raises(OSError, match="ZeroDivisionError"):
        run_below(tmp_path, lambda: 1 // 0)


def test_sudden_death_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="without an answer"):
        run_below(tmp_path, lambda: os.kill(os.getpid(), 9))
    with pytest.raises(OSError, match="without an answer"):
        run_below(tmp_path, lambda: os._exit(0))
