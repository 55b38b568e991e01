# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The local archive that mkosi installs from, made of real packages."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from debian.deb822 import Packages, Release

from pinwheel.errors import UsageFault
from pinwheel.image.package_lock import LockedPackage, PackageLock
from pinwheel.image.tree import variant_source, variants, write_repository

CONTROL = """\
Package: {name}
Version: 2:1.0~rc1-1
Architecture: all
Maintainer: T <t@t.test>
Depends: libc6 (>= 2.38)
Description: a test
 with a longer text
"""


def make_package(name: str, directory: Path) -> tuple[LockedPackage, Path]:
    tree = directory / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN").chmod(0o755)
    (tree / "DEBIAN/control").write_text(CONTROL.format(name=name))
    file = directory / f"{name}.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", str(tree), str(file)], check=True, capture_output=True)
    content = file.read_bytes()
    locked = LockedPackage(
        name=name,
        version="2:1.0~rc1-1",
        architecture="all",
        archive="debian",
        path=f"pool/{name}.deb",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return locked, file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = [make_package(name, tmp_path) for name in ("tool", "libtool++1")]
    lock = PackageLock(release="trixie", resolved_at=1, requested=["tool"], packages=[locked for locked, _ in made])
    target = tmp_path / "repository"
    write_repository(lock, {locked.name: file for locked, file in made}, target)
    return target


def test_index_names_each_package_with_what_apt_must_know(repository: Path) -> None:
    text = (repository / "dists/trixie/main/binary-amd64/Packages").read_text()
    first, second = Packages.iter_paragraphs(text, use_apt_pkg=False)
    assert (first["Package"], second["Package"]) == ("tool", "libtool++1")
    assert (first["Version"], first["Depends"]) == ("2:1.0~rc1-1", "libc6 (>= 2.38)")
    content = (repository / first["Filename"]).read_bytes()
    assert first["SHA256"] == hashlib.sha256(content).hexdigest()
    assert int(first["Size"]) == len(content)


def test_release_file_has_the_hash_of_the_index(repository: Path) -> None:
    release = Release((repository / "dists/trixie/Release").read_text())
    index = (repository / "dists/trixie/main/binary-amd64/Packages").read_bytes()
    assert release["Codename"] == "trixie"
    assert release["SHA256"] == [
        {"sha256": hashlib.sha256(index).hexdigest(), "size": str(len(index)), "name": "main/binary-amd64/Packages"}
    ]


def test_packages_are_not_copied(repository: Path) -> None:
    assert all(file.stat().st_nlink == 2 for file in (repository / "pool").iterdir())


def test_unknown_variant_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no variant 'nope'") as caught:
        variant_source("nope")
    assert ", ".join(variants()) in (caught.value.hint or "")
