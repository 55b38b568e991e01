# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What an image is made of, as facts: Debian packages, Python wheels, the kernel. SBOM and notices come from it.

Facts of Debian packages are read from the tree before it is pruned, while dpkg's database and the copyright files are
still there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from debian.deb822 import Deb822

from pinwheel.errors import CheckFailed

_MERGED = ("bin", "sbin", "lib", "lib64")
"""Directories that are links into /usr, though older packages still list their files there."""


@dataclass(frozen=True)
class DebianPackage:
    """One Debian package of which files are in the image."""

    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    maintainer: str
    homepage: str = ""
    summary: str = ""
    sha256: str = ""
    """Of the .deb file, from the lock; empty when the lock does not name it."""
    copyright: str = field(default="", repr=False)
    """The whole text of its copyright file."""
    files: int = 0
    """How many of its files are in the image."""
    size: int = 0
    """What these files take, unpacked, in bytes."""

    @property
    def purl(self) -> str:
        """Its package URL (purl-spec, type deb)."""
        return f"pkg:deb/debian/{purl_part(self.name)}@{purl_part(self.version)}?arch={self.architecture}"


@dataclass(frozen=True)
class WheelFacts:
    """One Python wheel in the image; its metadata (PEP 566, PEP 639) and the hash from the lock."""

    name: str
    version: str
    sha256: str
    licence: str = ""
    """Its licence expression, or what its metadata says instead of one."""
    author: str = ""
    home_page: str = ""
    licence_files: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Name -> text."""

    @property
    def purl(self) -> str:
        """Its package URL (purl-spec, type pypi: lower case, hyphens)."""
        return f"pkg:pypi/{purl_part(self.name.lower().replace('_', '-'))}@{purl_part(self.version)}"


@dataclass(frozen=True)
class KernelFacts:
    """The kernel inside the unified kernel image."""

    release: str
    """As `uname -r` says it."""
    sha256: str
    """Of the vmlinuz that went into the unified kernel image."""
    package: str
    """The Debian package that it comes from."""


@dataclass(frozen=True)
class Components:
    """All that an image is made of, besides our own code."""

    debian: tuple[DebianPackage, ...]
    wheels: tuple[WheelFacts, ...] = ()
    kernel: KernelFacts | None = None


def purl_part(text: str) -> str:
    """Percent-encode a part of a package URL; its colons stay as they are."""
    safe = "-._~:"
    return "".join(
        c if c.isascii() and (c.isalnum() or c in safe) else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )


def read_packages(
    tree: Path, kept: Collection[str], hashes: Mapping[str, str], always: Collection[str] = ()
) -> tuple[DebianPackage, ...]:
    """Describe the Debian packages of which files were kept, sorted by name.

    Args:
        tree: the root of a Debian tree, not pruned, with dpkg's database and /usr/share/doc.
        kept: the paths, relative to the root, that are in the image: in its root, its initrd, or its boot partition.
        hashes: package name -> SHA-256 of its .deb.
        always: packages that are in the image in another form, such as the kernel's.

    Raises:
        CheckFailed: a package in the image has no copyright file, so its licence cannot be told.
    """
    wanted = {_normalise(path) for path in kept}
    found = (_describe(record, tree, wanted, hashes) for record in read_status(tree))
    packages = sorted(
        (one for one in found if one.files or one.name in always), key=lambda one: (one.name, one.architecture)
    )
    without = [package.name for package in packages if not package.copyright]
    if without:
        raise CheckFailed(
            f"no copyright file in the tree for: {', '.join(without)}",
            "build the tree with /usr/share/doc: an image must say under which licences its parts are",
        )
    return tuple(packages)


def read_status(tree: Path) -> Iterator[Deb822]:
    """Give dpkg's record of each installed package of a tree."""
    with (tree / "var/lib/dpkg/status").open("rb") as stream:
        for record in Deb822.iter_paragraphs(stream, use_apt_pkg=False):
            if record.get("Status", "").split()[-1:] == ["installed"]:
                yield record


def pruned_summary(tree: Path, kept: Collection[str]) -> dict[str, dict[str, int]]:
    """Say for each package of a tree how many files and bytes of it were left out: {name: {"files": n, "bytes": n}}."""
    wanted = {_normalise(path) for path in kept}
    found = ((record, _measure(files_of(tree, record), tree, wanted)) for record in read_status(tree))
    return {
        record["Package"]: {"files": pruned[0], "bytes": pruned[1]}
        for record, (_, pruned) in sorted(found, key=lambda pair: pair[0]["Package"])
        if pruned[0]
    }


def files_of(tree: Path, record: Deb822) -> list[str]:
    """List what a package installed, relative to the root, directories included, as the merged /usr has it."""
    info = tree / "var/lib/dpkg/info"
    candidates = (f"{record['Package']}:{record['Architecture']}.list", f"{record['Package']}.list")
    listing = next((info / name for name in candidates if (info / name).exists()), None)
    lines = listing.read_text(errors="surrogateescape").splitlines() if listing else []
    # Packages that list /lib as their directory do not own the link that took its place.
    return sorted({_normalise(line) for line in lines} - {"", *_MERGED})


def _describe(record: Deb822, tree: Path, wanted: set[str], hashes: Mapping[str, str]) -> DebianPackage:
    (files, size), _ = _measure(files_of(tree, record), tree, wanted)
    source, _, source_version = record.get("Source", record["Package"]).partition(" ")
    return DebianPackage(
        name=record["Package"],
        version=record["Version"],
        architecture=record["Architecture"],
        source=source,
        source_version=source_version.strip("()") or record["Version"],
        maintainer=record.get("Maintainer", ""),
        homepage=record.get("Homepage", ""),
        summary=record.get("Description", "").partition("\n")[0],
        sha256=hashes.get(record["Package"], ""),
        copyright=read_copyright(tree, record["Package"]),
        files=files,
        size=size,
    )


def _measure(paths: Iterable[str], tree: Path, wanted: set[str]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Count files and bytes that were kept, and those that were not."""
    counts = {True: [0, 0], False: [0, 0]}
    for path in paths:
        file = tree / path
        if file.is_symlink() or file.is_file():
            count = counts[path in wanted]
            count[0] += 1
            count[1] += 0 if file.is_symlink() else file.lstat().st_size
    return (counts[True][0], counts[True][1]), (counts[False][0], counts[False][1])


def read_copyright(tree: Path, package: str) -> str:
    """Read a package's copyright file, empty when there is none. Its directory may be a link to another package's."""
    directory = tree / "usr/share/doc" / package
    for _ in range(8):  # libpython3.13 -> libpython3.13-stdlib -> libpython3.13-minimal: chains are short
        if not directory.is_symlink():
            break
        target = PurePosixPath(directory.readlink())
        # An absolute link means the tree's root, not the workstation's.
        directory = tree / target.relative_to("/") if target.is_absolute() else directory.parent / target
    file = directory / "copyright"
    return file.read_text(errors="replace") if file.is_file() and not file.is_symlink() else ""


def _normalise(path: str) -> str:
    plain = path.strip("/").removeprefix("./")
    return f"usr/{plain}" if plain.partition("/")[0] in _MERGED and "/" in plain else plain
