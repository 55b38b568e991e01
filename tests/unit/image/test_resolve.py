# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What apt answers, and what becomes of it."""

from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image.mirror import Mirror
from pinwheel.image.resolve import parse_uris, resolve
from pinwheel.progress import SilentProgress

MIRROR = Mirror("http://mirror.test/debian", "http://mirror.test/debian-security")
ANSWER = f"""\
Reading package lists...
Building dependency tree...
The following NEW packages will be installed:
  libfoo1 sec
'http://mirror.test/debian/pool/main/f/foo/libfoo1_1.0%7erc1-1%2bb2_amd64.deb' \
libfoo1_2%3a1.0~rc1-1+b2_amd64.deb 1234 SHA256:{"a" * 64}
'http://mirror.test/debian-security/pool/updates/main/s/sec/sec_1.2-3+deb13u1_all.deb' \
sec_1.2-3+deb13u1_all.deb 99 SHA256:{"b" * 64}
"""


def test_epoch_tilde_and_plus_are_read_as_dpkg_writes_them() -> None:
    package = next(parse_uris(ANSWER, MIRROR))
    assert (package.name, package.version, package.architecture) == ("libfoo1", "2:1.0~rc1-1+b2", "amd64")
    assert package.path == "pool/main/f/foo/libfoo1_1.0~rc1-1+b2_amd64.deb"
    assert (package.size, package.sha256) == (1234, "a" * 64)


def test_each_package_is_assigned_to_its_archive() -> None:
    packages = list(parse_uris(ANSWER, MIRROR))
    assert [package.archive for package in packages] == ["debian", "debian-security"]
    assert packages[1].path.startswith("pool/updates/")


def test_package_without_a_strong_hash_is_an_error_and_not_left_out() -> None:
    weak = f"'http://mirror.test/debian/pool/x_1_all.deb' x_1_all.deb 5 MD5Sum:{'c' * 32}\n"
    with pytest.raises(EnvironmentFault, match="x_1_all"):
        list(parse_uris(ANSWER + weak, MIRROR))


def test_mirror_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    nowhere = Mirror(f"file://{tmp_path}/debian", f"file://{tmp_path}/debian-security")
    with pytest.raises(EnvironmentFault, match="apt could not resolve the packages") as caught:
        resolve(["base-files"], nowhere, SilentProgress())
    assert "--mirror" in (caught.value.hint or "")
