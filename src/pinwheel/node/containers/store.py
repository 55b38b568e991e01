# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The images of host containers on the data partition: whole or not there, whatever happens in between.

    blobs/sha256/HEX            a packed layer that was verified; only while an image is being made of it
    blobs/sha256/HEX.partial    one that is being fetched
    images/HEX/                 an image by the digest of its manifest: `rootfs`, `config.json`
    sources/HEX.json            what a source stands for, by the hash of its text
    work/                       images that are being made
    host-containers/NAME/       a host container's own directory; bootstrap-containers/NAME/ a bootstrap container's
    writable/ID/                what a container that runs has changed in its root

An image is made below `work` and gets its name by one rename, when all of it is on the disk. Whoever uses images holds
`lock` shared; who clears away holds it alone, so that nothing half-made, and nothing in use, is ever taken for garbage.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pinwheel.node.files import write_atomically

DIRECTORY_MODE = 0o700
KEPT_SECONDS = 24 * 3600
"""What was fetched of an image that could not be finished stays so long, for the next try."""
_ROOT, _CONFIG = "rootfs", "config.json"


class StoredImage(NamedTuple):
    """An image that is there."""

    directory: Path

    @property
    def digest(self) -> str:
        """Of its manifest."""
        return f"sha256:{self.directory.name}"

    @property
    def root(self) -> Path:
        """The files of all its layers. Nobody writes there."""
        return self.directory / _ROOT

    @property
    def config(self) -> bytes:
        """Its configuration, as its maker wrote it."""
        return (self.directory / _CONFIG).read_bytes()


class Store:
    """The store below a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep everything from being cleared away; raises OSError when the store cannot be made."""
        with self._locked(fcntl.LOCK_SH):
            yield

    def find(self, source: str) -> StoredImage | None:
        """Give the image that a source stands for, if it is there."""
        try:
            digest = json.loads(self._note(source).read_bytes())["digest"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return self.image(digest)

    def image(self, digest: str) -> StoredImage | None:
        """Give an image by the digest of its manifest, if it is there."""
        directory = self._images / _hex(digest)
        return StoredImage(directory) if directory.is_dir() else None

    def remember(self, source: str, image: StoredImage) -> None:
        """Note what a source stands for."""
        _make(self._note(source).parent)
        write_atomically(self._note(source), json.dumps({"source": source, "digest": image.digest}).encode(), 0o600)

    def blob(self, digest: str) -> Path:
        """Give the place of a packed layer."""
        return self._blobs / _hex(digest)

    def partial(self, digest: str) -> Path:
        """Give the place of one that is being fetched."""
        _make(self._blobs)
        return self._blobs / f"{_hex(digest)}.partial"

    def download_lock(self, digest: str) -> Path:
        """Give the file that is locked while a layer is being fetched."""
        return self.partial(digest).with_suffix(".lock")

    def drop_blob(self, digest: str) -> None:
        """Remove a layer that an image was made of."""
        for file in (self.blob(digest), self.download_lock(digest)):
            file.unlink(missing_ok=True)

    @contextmanager
    def new_image(self, digest: str, config: bytes) -> Iterator[Path]:
        """Give a directory to make the root of an image in; on leaving the image is there, or nothing of it is."""
        _make(self._work)
        workspace = Path(tempfile.mkdtemp(dir=self._work))
        try:
            (workspace / _ROOT).mkdir(mode=0o755)
            yield workspace / _ROOT
            (workspace / _CONFIG).write_bytes(config)
            os.sync()  # the name must not be on the disk before what it stands for
            _make(self._images)
            self._name(workspace, self._images / _hex(digest))
        finally:
            shutil.rmtree(workspace, ignore_errors=True)

    @staticmethod
    def _name(workspace: Path, target: Path) -> None:
        try:
            workspace.rename(target)
        except OSError:
            if not target.is_dir():  # somebody else was quicker with the same image
                raise
        _sync(target.parent)

    def own_directory(self, group: str, name: str) -> Path:
        """Give a container's own directory, made when it is not there; it stays when the container goes."""
        directory = self._directory / group / name
        _make(directory)
        return directory

    def fresh_writable(self, identifier: str) -> Path:
        """Give an empty directory for what a container changes; what the run before left in it is gone."""
        directory = self._directory / "writable" / identifier
        if directory.exists():
            shutil.rmtree(directory)
        _make(directory)
        return directory

    def clear(self, sources: Collection[str], digests: Collection[str], identifiers: Collection[str]) -> list[str]:
        """Remove what nobody asks for any more; nothing at all when somebody is busy here.

        Args:
            sources: those that are configured; what they stand for stays.
            digests: of images in use.
            identifiers: of containers that are configured.

        Returns:
            The digests of the images that were removed.
        """
        try:
            with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                kept = {_hex(digest) for digest in digests} | self._forget_sources(sources)
                removed = [image for image in _entries(self._images) if image.name not in kept]
                layers = [layer for layer in _entries(self._directory / "writable") if layer.name not in identifiers]
                old = [blob for blob in _entries(self._blobs) if time.time() - blob.stat().st_mtime > KEPT_SECONDS]
                for image in removed:  # at once: an image is whole or not there
                    _make(self._work)
                    image.rename(self._work / f"{image.name}.old")
                for entry in [*layers, *old, *_entries(self._work)]:
                    _remove(entry)
        except BlockingIOError:
            return []
        return [f"sha256:{image.name}" for image in removed]

    def _forget_sources(self, sources: Collection[str]) -> set[str]:
        """Forget what is not configured, and give the images of the others by their names in `images`."""
        wanted = {self._note(source).name for source in sources}
        for note in _entries(self._directory / "sources"):
            if note.name not in wanted:
                note.unlink()
        return {image.directory.name for source in sources if (image := self.find(source))}

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        _make(self._directory)
        with (self._directory / "lock").open("ab") as lock:
            fcntl.flock(lock, how)
            yield

    def _note(self, source: str) -> Path:
        return self._directory / "sources" / f"{hashlib.sha256(source.encode()).hexdigest()}.json"

    @property
    def _blobs(self) -> Path:
        return self._directory / "blobs/sha256"

    @property
    def _images(self) -> Path:
        return self._directory / "images"

    @property
    def _work(self) -> Path:
        return self._directory / "work"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _make(directory: Path) -> None:
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
