# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The bundle of a container that is about to run: its root, mounted, and its config.json.

The root is the image with a writable layer over it that lasts for one run; what is to last has its own directory.
"""

import base64
import json
import os
import shutil
import stat
from pathlib import Path

from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container
from pinwheel.node.containers.image_config import ImageConfig, find_account
from pinwheel.node.containers.oci import read_document
from pinwheel.node.containers.spec import NODE, ROOT, optional_sources, runtime_spec
from pinwheel.node.containers.store import Store, StoredImage
from pinwheel.node.files import write_atomically
from pinwheel.node.paths import Paths
from pinwheel.node.programs import run

IMAGE_NOTE = "image"
"""The file of a bundle that names the image in use."""
USER_DATA = "user-data"
SECONDS = 30.0
"""How long mounting, or ending what is left of the run before, may take."""
_MAX_ACCOUNTS = 1024 * 1024
"""Bytes of an image's /etc/passwd that are read."""


def make_bundle(paths: Paths, store: Store, container: Container, image: StoredImage) -> None:
    """Make everything that runc needs.

    Raises:
        ImageError: the image cannot be run.
        OSError: it could not be made.
    """
    config = ImageConfig.from_document(read_document(image.config))
    account = find_account(config.user, _text(image.root, "passwd"), _text(image.root, "group"))
    remove_bundle(paths, container.id)
    bundle = paths.at(container.bundle)
    bundle.mkdir(mode=0o700, parents=True)
    write_atomically(bundle / IMAGE_NOTE, image.digest.encode(), 0o600)
    own = store.own_directory(container.kind.directory, container.name)
    _write_user_data(own / USER_DATA, container.user_data)
    _mount_root(paths, store.fresh_writable(container.id), image, bundle / ROOT)
    present = {path for path in optional_sources(container) if paths.at(path).exists()}
    document = runtime_spec(container, config, account, str(own), present)
    write_atomically(bundle / "config.json", json.dumps(document, indent=1).encode(), 0o600)


def remove_bundle(paths: Paths, identifier: str) -> None:
    """Remove what the run before has left; raises OSError when something of it is still in use."""
    bundle = paths.at(f"{places.BUNDLES}/{identifier}")
    if not bundle.exists():
        return
    run(
        paths.at(places.RUNC),
        "--root",
        str(paths.at(places.RUNC_STATE)),
        "delete",
        "--force",
        identifier,
        seconds=SECONDS,
    )
    if (bundle / ROOT).is_mount():
        _ask(paths, places.UMOUNT, "--lazy", str(bundle / ROOT))
    shutil.rmtree(bundle)


def images_in_use(paths: Paths) -> set[str]:
    """Give the digests of the images that are mounted for containers."""
    notes = paths.at(places.BUNDLES).glob(f"*/{IMAGE_NOTE}")
    return {note.read_text() for note in notes if (note.parent / ROOT).is_mount()}


def _write_user_data(file: Path, encoded: str) -> None:
    if encoded:
        write_atomically(file, base64.b64decode(encoded), 0o600)
    else:
        file.unlink(missing_ok=True)


def _mount_root(paths: Paths, writable: Path, image: StoredImage, target: Path) -> None:
    upper, work = writable / "upper", writable / "work"
    for directory in (upper, work, target):
        directory.mkdir()
    upper.chmod(stat.S_IMODE(image.root.stat().st_mode))
    _add_links(image.root, upper)
    # Nothing in the writable layer outlives a crash: there is nothing to wait for the disk for.
    options = f"lowerdir={image.root},upperdir={upper},workdir={work},volatile"
    _ask(paths, places.MOUNT, "-t", "overlay", "-o", options, "pinwheel", str(target))


def _add_links(root: Path, upper: Path) -> None:
    """Put the links into the writable layer that spare mounts, or that follow what changes on the node."""
    if not os.path.lexists(root / ".pinwheel"):
        (upper / ".pinwheel").symlink_to(NODE.lstrip("/"))
    etc = root / "etc"
    if not etc.is_symlink() and (etc.is_dir() or not etc.exists()):
        (upper / "etc").mkdir(mode=0o755)
        if etc.is_dir():
            shutil.copystat(etc, upper / "etc")
        (upper / "etc/resolv.conf").symlink_to(f"{places.RESOLVER}/resolv.conf")


def _text(root: Path, name: str) -> str:
    """Give a file of an image's /etc, wherever that is really in the image; no link is followed."""
    try:
        directory = os.open(root / "etc", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        with open(descriptor, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a descriptor
            return file.read(_MAX_ACCOUNTS)
    except OSError:
        return ""
    finally:
        os.close(directory)


def _ask(paths: Paths, program: str, *arguments: str) -> None:
    outcome = run(paths.at(program), *arguments, seconds=SECONDS)
    if outcome.status:
        raise OSError(f"{program}: {outcome.errors.strip()[-300:]}")
