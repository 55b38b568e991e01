# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Builds against an archive that moves on: real packages behind a real server, resolved by what the server has now."""

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image import inputs, package_lock
from pinwheel.image.fetch import PackagesGone
from pinwheel.image.inputs import BuildContext, LockMode, get_toolbox, with_lock
from pinwheel.image.mirror import ENVIRONMENT_VARIABLE, Mirror, find_mirror, from_main_url
from pinwheel.image.package_lock import LockedPackage, PackageLock, lock_file, read_lock, write_lock
from pinwheel.progress import Progress, SilentProgress

NAME = "toolbox"
REQUESTED = ("tool", "libtool1")


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Archive:
    """A Debian archive with one version of each package: the newest."""

    def __init__(self, directory: Path, port: int) -> None:
        self.pool = directory / "debian/pool"
        self.pool.mkdir(parents=True)
        self.mirror = from_main_url(f"http://127.0.0.1:{port}/debian")

    def release(self, name: str, version: str) -> None:
        """Put a version in the place of the one before."""
        for old in self.pool.glob(f"{name}_*"):
            old.unlink()
        tree = self.pool.parent / "tree"
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "DEBIAN").chmod(0o755)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: T <t@t.test>\nDescription: a test\n"
        )
        program = tree / f"usr/bin/{name}"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"{name} {version}")
        package = self.pool / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "-Znone", "--build", str(tree), str(package)], check=True, capture_output=True)
        program.unlink()

    def resolve(self, requested: Sequence[str], mirror: Mirror, progress: Progress) -> PackageLock:
        """Lock what the archive has now."""
        del mirror, progress
        packages = [self._locked(next(self.pool.glob(f"{name}_*"))) for name in requested]
        return PackageLock(release="trixie", resolved_at=1, requested=sorted(requested), packages=packages)

    @staticmethod
    def _locked(file: Path) -> LockedPackage:
        name, version, _ = file.name.split("_")
        content = file.read_bytes()
        return LockedPackage(
            name=name,
            version=version,
            architecture="all",
            archive="debian",
            path=f"pool/{file.name}",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    handler = partial(QuietHandler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        archive = Archive(tmp_path / "www", server.server_port)
        archive.release("tool", "1.0")
        archive.release("libtool1", "1.0")
        yield archive
        server.shutdown()


@pytest.fixture(autouse=True)
def checkout(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout whose lock is what the archive has at first."""
    monkeypatch.setattr(package_lock, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(inputs, "TOOLBOX_PACKAGES", REQUESTED)
    write_lock(archive.resolve(REQUESTED, archive.mirror, SilentProgress()), lock_file(NAME))


def context_of(archive: Archive, cache: Path, mode: LockMode = LockMode.PREFER) -> tuple[BuildContext, SilentProgress]:
    progress = SilentProgress()
    return BuildContext(progress, mode, archive.mirror.main, cache, archive.resolve), progress


def versions(lock: PackageLock) -> dict[str, str]:
    return {package.name: package.version for package in lock.packages}


@pytest.mark.parametrize("mode", [LockMode.PREFER, LockMode.STRICT])
def test_lock_is_used_where_the_mirror_still_has_it(archive: Archive, tmp_path: Path, mode: LockMode) -> None:
    context, progress = context_of(archive, tmp_path / "cache", mode)
    toolbox = get_toolbox(context)
    assert (toolbox.root / "usr/bin/tool").read_text() == "tool 1.0"
    assert progress.warnings == []


@pytest.mark.parametrize("mode", [LockMode.PREFER, LockMode.STRICT])
def test_toolbox_that_is_there_needs_no_mirror(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: LockMode
) -> None:
    made = get_toolbox(context_of(archive, tmp_path / "cache", mode)[0])
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(inputs, "find_mirror", no_mirror)
    again = BuildContext(SilentProgress(), mode, None, tmp_path / "cache")
    assert get_toolbox(again).root == made.root
    with pytest.raises(EnvironmentFault, match="names no Debian mirror"):
        get_toolbox(BuildContext(SilentProgress(), mode, None, tmp_path / "empty"))


def no_mirror(asked: str | None) -> Mirror:
    """Look as on a workstation whose apt configuration is empty."""
    return find_mirror(asked, root=Path("/var/empty"))


def test_packages_that_left_the_mirror_are_named_and_replaced_for_this_user_only(
    archive: Archive, tmp_path: Path
) -> None:
    archive.release("tool", "2.0")
    context, progress = context_of(archive, tmp_path / "cache")
    before = lock_file(NAME).read_bytes()
    assert (get_toolbox(context).root / "usr/bin/tool").read_text() == "tool 2.0"
    (warning,) = progress.warnings
    assert "tool 1.0" in warning
    assert "libtool1" not in warning
    assert lock_file(NAME).read_bytes() == before


def test_stand_in_is_used_again_without_another_warning(archive: Archive, tmp_path: Path) -> None:
    archive.release("tool", "2.0")
    first, _ = context_of(archive, tmp_path / "cache")
    root = get_toolbox(first).root
    again, progress = context_of(archive, tmp_path / "cache")
    assert get_toolbox(again).root == root
    assert progress.warnings == []
    assert versions(again.current_lock(NAME)) == {"tool": "2.0", "libtool1": "1.0"}


def test_stand_in_is_replaced_when_its_packages_left_the_mirror_as_well(archive: Archive, tmp_path: Path) -> None:
    for version in ("2.0", "3.0"):
        archive.release("tool", version)
        for made in ("packages", "toolbox"):
            shutil.rmtree(tmp_path / "cache" / made, ignore_errors=True)
        context, progress = context_of(archive, tmp_path / "cache")
        assert (get_toolbox(context).root / "usr/bin/tool").read_text() == f"tool {version}"
        assert len(progress.warnings) == 1


def test_new_lock_of_the_checkout_wins_over_the_stand_in_of_the_old_one(archive: Archive, tmp_path: Path) -> None:
    archive.release("tool", "2.0")
    get_toolbox(context_of(archive, tmp_path / "cache")[0])
    archive.release("libtool1", "2.0")
    write_lock(archive.resolve(REQUESTED, archive.mirror, SilentProgress()), lock_file(NAME))
    context, progress = context_of(archive, tmp_path / "cache")
    assert versions(context.current_lock(NAME)) == {"tool": "2.0", "libtool1": "2.0"}
    get_toolbox(context)
    assert progress.warnings == []


def test_strict_mode_fails_where_the_mirror_has_moved_on(archive: Archive, tmp_path: Path) -> None:
    archive.release("tool", "2.0")
    context, _ = context_of(archive, tmp_path / "cache", LockMode.STRICT)
    with pytest.raises(PackagesGone, match=r"tool 1\.0"):
        get_toolbox(context)
    assert not list((tmp_path / "cache").glob("locks/*"))
    assert not list((tmp_path / "cache").glob("toolbox/*"))


def test_strict_mode_does_not_use_a_stand_in(archive: Archive, tmp_path: Path) -> None:
    archive.release("tool", "2.0")
    get_toolbox(context_of(archive, tmp_path / "cache")[0])
    with pytest.raises(PackagesGone):
        get_toolbox(context_of(archive, tmp_path / "cache", LockMode.STRICT)[0])


def test_strict_mode_does_not_write_a_lock_that_is_missing(archive: Archive, tmp_path: Path) -> None:
    lock_file(NAME).unlink()
    with pytest.raises(UsageFault, match="there is no lock file"):
        get_toolbox(context_of(archive, tmp_path / "cache", LockMode.STRICT)[0])
    assert not lock_file(NAME).exists()


def test_missing_lock_is_written_where_nobody_asked_for_strictness(archive: Archive, tmp_path: Path) -> None:
    before = read_lock(lock_file(NAME))
    lock_file(NAME).unlink()
    get_toolbox(context_of(archive, tmp_path / "cache")[0])
    assert versions(read_lock(lock_file(NAME))) == versions(before)


def test_update_writes_the_lock_of_the_checkout(archive: Archive, tmp_path: Path) -> None:
    archive.release("tool", "2.0")
    context, progress = context_of(archive, tmp_path / "cache", LockMode.UPDATE)
    assert (get_toolbox(context).root / "usr/bin/tool").read_text() == "tool 2.0"
    assert versions(read_lock(lock_file(NAME))) == {"tool": "2.0", "libtool1": "1.0"}
    assert progress.warnings == []


def test_lock_for_other_packages_than_are_asked_for_is_refused(archive: Archive, tmp_path: Path) -> None:
    context, _ = context_of(archive, tmp_path / "cache")
    with pytest.raises(UsageFault, match="what is asked for now: newtool"):
        with_lock(NAME, [*REQUESTED, "newtool"], context, versions)


def test_what_was_made_comes_with_the_lock_that_it_was_made_of(archive: Archive, tmp_path: Path) -> None:
    context, _ = context_of(archive, tmp_path / "cache")
    lock, made = with_lock(NAME, REQUESTED, context, versions)
    assert made == versions(lock) == {"tool": "1.0", "libtool1": "1.0"}
