# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Have the image of a source in the store: use it if it is there, else fetch and unpack it."""

import fcntl
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from pinwheel.node.containers.access import Access
from pinwheel.node.containers.archive import Archive
from pinwheel.node.containers.confine import run_below
from pinwheel.node.containers.http import Http, UnreachableError
from pinwheel.node.containers.layer import Limits, Usage, apply_layer
from pinwheel.node.containers.oci import (
    Descriptor,
    ImageError,
    Manifest,
    choose,
    digest_of,
    is_index,
    read_document,
    read_manifest,
)
from pinwheel.node.containers.reference import ArchiveReference, Reference, parse_source
from pinwheel.node.containers.registry import RegistryImages
from pinwheel.node.containers.store import Store, StoredImage
from pinwheel.node.paths import Paths

_MAX_NESTED = 3
"""Indexes inside of each other."""
_ENTRY_COST = 4096
"""Bytes of the disk that a file takes at least, for how much is left."""

Done = TypeVar("Done")


class Patience(NamedTuple):
    """How often, and how long, a server is asked again that does not answer. Seconds."""

    tries: int = 5
    first_pause: float = 1.0
    """Doubled each time."""
    jitter: tuple[float, float] = (2.0, 6.0)
    """Added each time: a fleet that starts at once must not ask at once."""
    sleep: Callable[[float], None] = time.sleep


class Room(NamedTuple):
    """How much of the data partition an image may take."""

    limits: Limits = Limits()
    reserve: int = 256 * 1024**2
    """Bytes that stay free for everybody else."""


class Images(Protocol):
    """Where an image comes from."""

    def start(self) -> tuple[bytes, str]:
        """Give the first document, an index or a manifest, and the image's name in it, empty for any."""

    def document(self, descriptor: Descriptor) -> bytes:
        """Give a small document; its digest was compared."""

    def layer(self, descriptor: Descriptor) -> Any:  # noqa: ANN401 - a context manager of a readable
        """Give a packed layer to read; its digest was compared."""


class FromArchive:
    """An image of an archive (`Images`)."""

    def __init__(self, paths: Paths, reference: ArchiveReference) -> None:
        self._archive = Archive(paths.at(reference.path))
        self._tag = reference.tag

    def start(self) -> tuple[bytes, str]:
        """See `Images.start`."""
        return self._archive.index(), self._tag

    def document(self, descriptor: Descriptor) -> bytes:
        """See `Images.document`."""
        return self._archive.document(descriptor.digest)

    def layer(self, descriptor: Descriptor) -> Any:  # noqa: ANN401
        """See `Images.layer`."""
        return self._archive.layer(descriptor)


class FromRegistry:
    """An image of a registry (`Images`)."""

    def __init__(self, reference: Reference, access: Access, http: Http, store: Store, patience: Patience) -> None:
        self._registry = RegistryImages(reference, access, http)
        self._version = reference.version
        self._store = store
        self._patience = patience

    def start(self) -> tuple[bytes, str]:
        """See `Images.start`."""
        return self._again(lambda: self._registry.manifest(self._version)), ""

    def document(self, descriptor: Descriptor) -> bytes:
        """See `Images.document`."""
        if "manifest" in descriptor.media_type or "index" in descriptor.media_type:
            return self._again(lambda: self._registry.manifest(descriptor.digest))
        return self._again(lambda: self._registry.document(descriptor))

    @contextmanager
    def layer(self, descriptor: Descriptor) -> Iterator[Any]:
        """See `Images.layer`: fetched to the disk first, and kept there until the image is whole."""
        target = self._store.blob(descriptor.digest)
        if not target.exists():
            self._fetch(descriptor, target)
        with target.open("rb", buffering=0) as file:
            yield file

    def _fetch(self, descriptor: Descriptor, target: Path) -> None:
        unfinished = self._store.partial(descriptor.digest)
        with self._store.download_lock(descriptor.digest).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another image may have the same layer
            if not target.exists():
                self._again(lambda: self._registry.fetch(descriptor, unfinished))
                unfinished.rename(target)

    def _again(self, ask: Callable[[], Done]) -> Done:
        return with_patience(ask, self._patience)


def with_patience(ask: Callable[[], Done], patience: Patience) -> Done:
    """Ask until there is an answer, or until patience ends; only who cannot be reached is asked again."""
    for attempt in range(patience.tries):
        try:
            return ask()
        except UnreachableError as error:
            if attempt == patience.tries - 1:
                raise
            pause = patience.first_pause * 2**attempt + random.uniform(*patience.jitter)  # noqa: S311 - no secret
            print(f"{error}; next try in {pause:.0f} s", flush=True)
            patience.sleep(pause)
    raise AssertionError("patience without a try")


def ensure_image(store: Store, source: str, images: Callable[[], Images], room: Room = Room()) -> StoredImage:
    """Give the image of a source; what is in the store is used as it is.

    Args:
        store: where images are kept. The caller holds `Store.in_use`.
        source: as the settings have it.
        images: gives where it comes from, when it must be fetched.
        room: how much it may take.

    Raises:
        ImageError: it is not to be had, or is not what it should be.
        UnreachableError: the registry does not answer.
        OSError: the disk is full, or the like.
    """
    found = store.find(source)
    if found:
        return found
    origin = images()
    digest, manifest = _find_manifest(origin)
    image = store.image(digest) or _make(store, digest, manifest, origin, room)
    store.remember(source, image)
    return image


def _find_manifest(origin: Images) -> tuple[str, Manifest]:
    """Follow indexes down to the manifest for this machine."""
    content, name = origin.start()
    for _ in range(_MAX_NESTED):
        document = read_document(content)
        if not is_index(document):
            return digest_of(content), read_manifest(document)
        content, name = origin.document(choose(document, os.uname().machine, name)), ""
    raise ImageError("the image's indexes are nested too deeply")


def _make(store: Store, digest: str, manifest: Manifest, origin: Images, room: Room) -> StoredImage:
    config = origin.document(manifest.config)
    used = Usage()
    with store.new_image(digest, config) as root:
        for layer in manifest.layers:
            with origin.layer(layer) as packed:
                used = Usage(*run_below(root, partial(apply_layer, packed, _limits(root, room, used), used)))
    for layer in manifest.layers:
        store.drop_blob(layer.digest)
    if used.devices:
        print(f"left out of the image: {used.devices} device nodes", flush=True)
    made = store.image(digest)
    assert made is not None
    return made


def _limits(root: Path, room: Room, used: Usage) -> Limits:
    """Give what the layers may take in all: as much as is allowed, and as is free."""
    free = shutil.disk_usage(root).free - room.reserve
    if free <= 0:
        raise ImageError(f"the data partition has no room for an image: less than {room.reserve // 10**6} MB are free")
    return Limits(min(room.limits.size, used.size + free), min(room.limits.entries, used.entries + free // _ENTRY_COST))


def image_source(
    paths: Paths, store: Store, source: str, access: Access, http: Http, patience: Patience = Patience()
) -> Images:
    """Give where the image of a source comes from; raises `SourceError` for a source that is none."""
    reference = parse_source(source)
    if isinstance(reference, ArchiveReference):
        return FromArchive(paths, reference)
    return FromRegistry(reference, access, http, store, patience)
