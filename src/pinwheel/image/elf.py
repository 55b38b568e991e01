# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a set of ELF files needs to run: the closure of interpreters and libraries, found as ld.so(8) finds them.

Libraries loaded with dlopen() are not in any header that must be obeyed; an image declares those that it wants.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

DEFAULT_DIRECTORIES = ("usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib64")
_STRING_TAGS = {"DT_NEEDED": "needed", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}
"""Tags that hold a string, and the attribute under which elftools gives it."""


@dataclass(frozen=True)
class ElfNeeds:
    """What one ELF file asks for."""

    interpreter: str | None
    libraries: tuple[str, ...]
    search_path: tuple[str, ...]


class MissingLibraryError(Exception):
    """A library that a kept file needs is not in the tree: the image would not boot, or only nearly."""

    def __init__(self, library: str, needed_by: str) -> None:
        super().__init__(f"{needed_by} needs {library}, which the tree does not have")
        self.library = library
        self.needed_by = needed_by


def read_needs(file: Path) -> ElfNeeds | None:
    """Read what an ELF file needs; None where the file is no ELF."""
    with file.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return None
        try:
            return _needs(ELFFile(stream))
        except ELFError:
            return None


def _needs(elf: ELFFile) -> ElfNeeds:
    interpreter = None
    libraries: list[str] = []
    search: list[str] = []
    # By segments, as the kernel and ld.so read it: the table of sections may be stripped.
    for segment in elf.iter_segments():
        if isinstance(segment, InterpSegment):
            interpreter = segment.get_interp_name()
        elif isinstance(segment, DynamicSegment):
            for tag in segment.iter_tags():
                value = getattr(tag, _STRING_TAGS.get(tag.entry.d_tag, ""), "")
                if tag.entry.d_tag == "DT_NEEDED":
                    libraries.append(value)
                elif value:
                    search += value.split(":")
    return ElfNeeds(interpreter, tuple(libraries), tuple(search))


def find_library(root: Path, soname: str, search: Iterable[str] = (), origin: str = "") -> str | None:
    """Find a library below `root`; gives its path relative to that, links not followed."""
    directories = [part.replace("$ORIGIN", f"/{origin}").replace("${ORIGIN}", f"/{origin}") for part in search]
    for directory in [*directories, *DEFAULT_DIRECTORIES]:
        candidate = str(_merge_usr(_normalise(PurePosixPath(directory.lstrip("/"), soname))))
        if _is_file_below(root, candidate):
            return candidate
    return None


def _is_file_below(root: Path, path: str) -> bool:
    """Whether the path is a file, absolute links taken below `root`."""
    *_, last = follow_links(root, path)
    return (root / last).is_file() and not (root / last).is_symlink()


def follow_links(root: Path, path: str) -> Iterator[str]:
    """Give `path` and every link's target after it, relative to `root`; absolute targets are taken below `root`."""
    seen: set[str] = set()
    current = PurePosixPath(path.lstrip("/"))
    while str(current) not in seen:
        seen.add(str(current))
        yield str(current)
        file = root / current
        if not file.is_symlink():
            return
        target = PurePosixPath(str(file.readlink()))
        joined = target.relative_to("/") if target.is_absolute() else current.parent / target
        current = _merge_usr(_normalise(joined))


def _normalise(path: PurePosixPath) -> PurePosixPath:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts)


def _merge_usr(path: PurePosixPath) -> PurePosixPath:
    """/bin, /sbin, /lib and /lib64 are links into /usr."""
    return PurePosixPath("usr", path) if path.parts[:1] in (("bin",), ("sbin",), ("lib",), ("lib64",)) else path


def closure(root: Path, files: Iterable[str], extra_roots: Iterable[Path] = ()) -> set[str]:
    """Give `files` with every link, library and interpreter that they need to run.

    Args:
        root: the tree that libraries come from.
        files: paths relative to `root`, ELF or not.
        extra_roots: further trees (what the build adds of its own), whose ELF files' needs are met from `root` as well.

    Raises:
        MissingLibraryError: a needed library is nowhere.
    """
    added = [(file, str(file.relative_to(tree))) for tree in extra_roots for file in tree.rglob("*") if file.is_file()]
    own = {name for _, name in added}
    kept: set[str] = set()
    queue = list(files)
    for file, name in added:
        queue += _requirements(root, file, name, own)
    while queue:
        for path in follow_links(root, queue.pop()):
            if path in kept:
                continue
            kept.add(path)
            file = root / path
            if file.is_file() and not file.is_symlink():
                queue += _requirements(root, file, path, own)
    return kept


def _requirements(root: Path, file: Path, path: str, own: set[str]) -> list[str]:
    needs = read_needs(file)
    if needs is None:
        return []
    found = [str(_merge_usr(PurePosixPath(needs.interpreter.lstrip("/"))))] if needs.interpreter else []
    origin = str(PurePosixPath(path).parent)
    for library in needs.libraries:
        # A library beside a library needs no search path of its own: what loaded the one has loaded the other.
        place = find_library(root, library, [*needs.search_path, f"/{origin}"], origin)
        if place is None:
            if any(PurePosixPath(name).name == library for name in own):
                continue
            raise MissingLibraryError(library, f"/{path}")
        found.append(place)
    return found
