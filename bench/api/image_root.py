# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What runs: the root of the built image, unpacked, and beside it a launcher and modules for the floors."""

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from bench.api.holder import FLOOR

from pinwheel.image.build import BuiltImage, forget_old
from pinwheel.image.python_definition import read_python_definition
from pinwheel.image.python_runtime import build_launchers, build_python_runtime
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.workspace import remove_tree
from pinwheel.paths import PROJECT
from pinwheel.progress import Progress

ENTRY_POINTS = {"nothing": "pinwheel_floor:nothing", "hello": "pinwheel_floor:hello"}

_SOURCES = Path(__file__).parent / "floor"
_LOCK = PROJECT / "requirements/bench.txt"
_BY_NAME = ("uvicorn.lifespan.off", "uvicorn.loops.asyncio", "uvicorn.protocols.http.h11_impl")
"""What uvicorn imports by names put together at run time."""
_KEPT = 1


@dataclass(frozen=True)
class Roots:
    """Where both are on the workstation."""

    image: Path
    floor: Path


def unpack(image: BuiltImage, toolbox: Toolbox, cache: Path, progress: Progress) -> Roots:
    """Unpack an image's root and build the floors; what the cache has already is used.

    Raises:
        EnvironmentFault: a tool failed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    root, floor = cache / f"root-{image.directory.name}", cache / f"floor-{_key(image)}"
    if not root.is_dir():
        with progress.step("Unpacking the image's root"):
            _unpack(image.disk.with_suffix(".erofs"), root, toolbox)
    if not floor.is_dir():
        with progress.step("Building what the figures are compared with"):
            _build(floor, toolbox, cache.parent, progress)
    for used in (root, floor):
        os.utime(used)
    forget_old(cache, "root-*", _KEPT)
    forget_old(cache, "floor-*", _KEPT)
    return Roots(root, floor)


def _key(image: BuiltImage) -> str:
    digest = hashlib.sha256(image.directory.name.encode() + _LOCK.read_bytes())
    for file in sorted([Path(__file__), *_SOURCES.glob("*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _unpack(erofs: Path, target: Path, toolbox: Toolbox) -> None:
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        # As root, in a user namespace if need be: files keep their owners.
        toolbox.run(
            ["fsck.erofs", f"--extract={fresh / 'root'}", "--preserve-owner", "--preserve-perms", erofs],
            writable=[fresh], readable=[erofs], root=True,
        )  # fmt: skip
        (fresh / "root").rename(target)
    finally:
        remove_tree(fresh)


def _build(target: Path, toolbox: Toolbox, cache: Path, progress: Progress) -> None:
    """Build as `pinwheel build` does, with other modules and entry points."""
    declared = read_python_definition()
    own = {
        "own": ["pinwheel_floor"],
        "directory": f"{FLOOR}/python",
        "include": [*(name for name in declared.modules.include if not name.startswith("msgspec")), *_BY_NAME],
        "exclude": ["site", "test", "tkinter"],  # uvicorn imports what the node's services do without
    }
    definition = replace(
        declared,
        modules=declared.modules.model_copy(update=own),
        launcher=declared.launcher.model_copy(update={"entry_points": ENTRY_POINTS, "commands": []}),
    )
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    fresh.chmod(0o755)
    try:
        build_python_runtime(
            toolbox, fresh / "python", cache, progress, definition=definition, sources=_SOURCES, lock=_LOCK
        )
        build_launchers(toolbox, fresh, definition=definition)
        fresh.rename(target)
    finally:
        remove_tree(fresh)
