# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Pruning by declaration: choose what an image keeps of the Debian tree, and copy just that.

A declaration that matches nothing, or a library that is missing, fails the build: never the boot.
"""

import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from os.path import lexists
from pathlib import Path, PurePosixPath

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.definition import ImageDefinition
from pinwheel.image.elf import MissingLibraryError, closure, find_library
from pinwheel.image.host import as_root

UNITS = "usr/lib/systemd/system"
MODULES = "usr/lib/modules"

_SKELETON = (
    "dev", "efi", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp",
    "usr/bin", "usr/lib64", "usr/sbin", "var",
)  # fmt: skip
_ROOT_LINKS = ("bin", "sbin", "lib", "lib64")


def kernel_release(tree: Path) -> str:
    """Give the release of the one kernel in the tree.

    Raises:
        UsageFault: there is none, or more than one.
    """
    releases = sorted(path.name for path in (tree / MODULES).glob("*"))
    if len(releases) != 1:
        raise UsageFault(f"the tree has {len(releases)} kernels: {', '.join(releases)}", "a variant needs exactly one")
    return releases[0]


def plan(tree: Path, definition: ImageDefinition, own: Iterable[Path] = ()) -> set[str]:
    """Choose the paths (relative to the tree) that the image keeps.

    Args:
        tree: the unpruned Debian tree.
        definition: what is declared.
        own: trees that will be laid over the result; what their programs need is kept, too.

    Raises:
        UsageFault: something declared is not there, or a library is missing.
    """
    problems: list[str] = []
    files = [*_declared(tree, definition.programs, problems), *_patterns(tree, definition.files, problems)]
    files += [*_libraries(tree, definition.libraries, problems), *_units(tree, definition.units, problems)]
    if (tree / MODULES).is_dir():  # a container's tree has no kernel
        files += _kernel_modules(tree, definition.excluded_kernel_modules, problems)
    if problems:
        listed = "\n".join(problems)
        raise UsageFault(f"the image's declaration does not fit its packages:\n{listed}", "edit image.toml")
    try:
        return closure(tree, files, own)
    except MissingLibraryError as error:
        raise UsageFault(str(error), "add the package that has it to mkosi.conf") from error


def copy(tree: Path, paths: Iterable[str], target: Path) -> None:
    """Copy `paths` of the tree, with owners, modes and extended attributes, and the directories that every root has.

    Raises:
        EnvironmentFault: copying failed.
    """
    target.mkdir(parents=True)
    for name in _SKELETON:
        (target / name).mkdir(parents=True, exist_ok=True)
    for link in _ROOT_LINKS:
        (target / link).symlink_to(f"usr/{link}")
    for directory in (target, *(path for path in target.rglob("*") if path.is_dir() and not path.is_symlink())):
        directory.chmod(0o755)
    names = "\0".join(sorted(_with_directories(tree, paths))).encode()
    pack = 'tar --create --directory "$0" --no-recursion --xattrs --null --files-from=-'
    keep = "--xattrs --same-permissions --same-owner --numeric-owner --keep-directory-symlink"
    unpack = f'tar --extract --directory "$1" {keep}'
    command = as_root(["sh", "-c", f"{pack} | {unpack}", str(tree), str(target)])
    done = subprocess.run(command, input=names, capture_output=True, check=False)
    if done.returncode or done.stderr:
        raise EnvironmentFault(f"could not copy the image's files: {done.stderr.decode(errors='replace')[-800:]}")


def drop_setuid(programs: Iterable[str], root: Path) -> None:
    """Take the setuid and setgid bits from the named programs of a copied root; one on any other breaks the build."""
    files = [str(root / program.lstrip("/")) for program in programs]
    if files:
        subprocess.run(as_root(["chmod", "a-s", "--", *files]), check=True)


def _with_directories(tree: Path, paths: Iterable[str]) -> set[str]:
    """Parents come along, for their modes."""
    every = set(paths)
    for path in list(every):
        every.update(str(parent) for parent in PurePosixPath(path).parents if str(parent) != ".")
    return {path for path in every if path not in _ROOT_LINKS and lexists(tree / path)}


def _declared(tree: Path, paths: Iterable[str], problems: list[str]) -> Iterator[str]:
    for path in paths:
        if lexists(tree / path.lstrip("/")):
            yield path.lstrip("/")
        else:
            problems.append(f"  program {path} is in no package")


def _patterns(tree: Path, patterns: Iterable[str], problems: list[str]) -> Iterator[str]:
    for pattern in patterns:
        found = sorted(str(path.relative_to(tree)) for path in tree.glob(pattern.lstrip("/")))
        if not found:
            problems.append(f"  file {pattern} matches nothing")
        yield from found


def _libraries(tree: Path, sonames: Iterable[str], problems: list[str]) -> Iterator[str]:
    for soname in sonames:
        place = find_library(tree, soname)
        if place:
            yield place
        else:
            problems.append(f"  library {soname} is in no package")


def _units(tree: Path, names: Iterable[str], problems: list[str]) -> Iterator[str]:
    wanted = set(names)
    for name in sorted(wanted):
        if lexists(tree / UNITS / name):
            yield f"{UNITS}/{name}"
        else:
            problems.append(f"  unit {name} is in no package")
    for link in (tree / UNITS).glob("*.wants/*"):
        if link.name in wanted and link.parent.name.removesuffix(".wants") in wanted:
            yield str(link.relative_to(tree))


def _kernel_modules(tree: Path, excluded: Iterable[str], problems: list[str]) -> Iterator[str]:
    base = tree / MODULES / kernel_release(tree) / "kernel"
    patterns = list(excluded)
    used: set[str] = set()
    for file in sorted(base.rglob("*.ko*")):
        path = str(file.relative_to(base))
        hits = [pattern for pattern in patterns if fnmatchcase(path, pattern)]
        used.update(hits)
        if not hits:
            yield str(file.relative_to(tree))
    problems += [f"  excluded kernel module {pattern} matches nothing" for pattern in patterns if pattern not in used]
