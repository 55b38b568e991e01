# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Lock files: written, read again, compared with what is asked for."""

from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.package_lock import LockedPackage, PackageLock, lock_file, read_lock, write_lock
from pinwheel.image.tree import variants


def package(name: str, digit: str = "1") -> LockedPackage:
    return LockedPackage(
        name=name,
        version="2:1.0~rc1-1+b2",
        architecture="amd64",
        archive="debian",
        path=f"pool/main/{name[0]}/{name}/{name}.deb",
        size=4711,
        sha256=digit * 64,
    )


def lock_of(*packages: LockedPackage) -> PackageLock:
    return PackageLock(release="trixie", resolved_at=1700000000, requested=["b", "a"], packages=list(packages))


def test_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    lock = lock_of(package("a"), package("b", "2"))
    write_lock(lock, tmp_path / "new/a.json")
    assert read_lock(tmp_path / "new/a.json") == lock


def test_each_package_has_a_line_of_its_own_sorted_by_name(tmp_path: Path) -> None:
    write_lock(lock_of(package("b", "2"), package("a")), tmp_path / "a.json")
    lines = (tmp_path / "a.json").read_text().splitlines()
    named = [line for line in lines if '"sha256"' in line]
    assert [line.split('"')[3] for line in named] == ["a", "b"]


def test_nothing_but_the_lock_is_left_beside_it(tmp_path: Path) -> None:
    write_lock(lock_of(package("a")), tmp_path / "a.json")
    write_lock(lock_of(package("a"), package("b")), tmp_path / "a.json")
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_empty_lock_can_be_read_again(tmp_path: Path) -> None:
    write_lock(lock_of(), tmp_path / "a.json")
    assert read_lock(tmp_path / "a.json").packages == []


def test_digest_depends_on_the_packages_and_not_on_their_order() -> None:
    a, b = package("a"), package("b", "2")
    assert lock_of(a, b).digest() == lock_of(b, a).digest()
    assert lock_of(a, b).digest() != lock_of(a, package("b", "3")).digest()


def test_lock_for_other_packages_is_refused_with_the_difference() -> None:
    with pytest.raises(UsageFault, match=r"the lock of docker .*: a, c$") as caught:
        lock_of().require(["b", "c"], "docker")
    assert "--update-lock" in (caught.value.hint or "")


def test_lock_for_the_same_packages_in_another_order_is_fine() -> None:
    lock_of().require(["a", "b"], "docker")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Invalid JSON"),
        ('{"release": "trixie", "resolved_at": 1, "requested": []}', "Field required"),
        ('{"schema_version": 2, "release": "t", "resolved_at": 1, "requested": [], "packages": []}', "should be 1"),
    ],
    ids=["cut-short", "no-packages", "later-schema"],
)
def test_broken_lock_is_refused_with_its_name_and_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UsageFault, match=reason) as caught:
        read_lock(tmp_path / "a.json")
    assert "a.json" in caught.value.message


def test_missing_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="there is no lock file"):
        read_lock(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["toolbox", *variants()])
def test_locks_of_the_checkout_are_as_they_would_be_written(tmp_path: Path, name: str) -> None:
    write_lock(read_lock(lock_file(name)), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == lock_file(name).read_text()
