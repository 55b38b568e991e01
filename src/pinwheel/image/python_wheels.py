# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The Python packages that the node's services use: fetched as wheels by hash, unpacked, described for the SBOM.

They are for the node's Python, not for the workstation's, so pip fetches them and never installs them. The format is
the Python packaging guide's "Binary distribution format" and "Core metadata specifications".
"""

import email
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from email.message import Message
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.components import WheelFacts
from pinwheel.image.workspace import workspace_beside
from pinwheel.progress import Progress

_NEWEST_GLIBC_MINOR = 41
"""Debian 13 has glibc 2.41; a wheel tagged manylinux_2_N runs where glibc is 2.N or newer (PEP 600)."""
_PLATFORMS = ("manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in range(_NEWEST_GLIBC_MINOR, 16, -1)))
_LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)\b", re.IGNORECASE)
_HOME_LABELS = ("homepage", "home", "repository", "source", "source code")


def fetch_wheels(lock: Path, python: str, cache: Path, progress: Progress) -> list[Path]:
    """Give the wheels that a hash-checking requirements file names; fetch them when they are not in the cache yet.

    Args:
        lock: the requirements file, every entry with its hashes.
        python: the version of Python that they are for, "3.13".
        cache: where to keep them, in a directory named by the lock's content.
        progress: where fetching is reported.

    Raises:
        EnvironmentFault: pip could not fetch them, or what the cache holds is not what the lock names.
    """
    key = hashlib.sha256(f"{python} {_PLATFORMS} {lock.read_text()}".encode()).hexdigest()[:16]
    target = cache / "wheels" / key
    if not target.is_dir():
        with progress.step("Fetching the node's Python packages"):
            _fill(target, lock, python)
    wheels = sorted(target.glob("*.whl"))
    _check(wheels, locked_hashes(lock.read_text()))
    return wheels


def _fill(target: Path, lock: Path, python: str) -> None:
    """Make `target` whole or not at all."""
    with workspace_beside(target) as fresh:
        _download(lock, python, fresh)
        fresh.replace(target)


def _download(lock: Path, python: str, target: Path) -> None:
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    target_python = [
        "--implementation=cp",
        f"--python-version={python}",
        f"--abi=cp{python.replace('.', '')}",
        *platforms,
    ]
    strict = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *strict, *target_python]
    command += [f"--requirement={lock}", f"--dest={target}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise EnvironmentFault(
            f"pip could not fetch the node's Python packages ({lock.name}):\n{tail}",
            "check the network and pip's index (`pip config list`), then try again",
        )


def locked_hashes(requirements: str) -> frozenset[str]:
    """Give all SHA-256 sums, as hex, that a requirements file accepts."""
    return frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", requirements))


def _check(wheels: Iterable[Path], accepted: frozenset[str]) -> None:
    """Fail when a file of the cache is not what was locked: a disk that was full, or somebody's hand."""
    for wheel in wheels:
        if _sha256(wheel) not in accepted:
            raise EnvironmentFault(
                f"{wheel} is damaged: its hash is not in the lock", f"delete {wheel.parent}, then try again"
            )


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def unpack_wheel(wheel: Path, target: Path) -> None:
    """Unpack the modules of a wheel; its metadata stays out.

    Raises:
        EnvironmentFault: it is no zip file.
        UsageFault: it wants files installed elsewhere (a `.data` directory), which an image has no place for.
    """
    try:
        with ZipFile(wheel) as archive:
            for name in archive.namelist():
                top = PurePosixPath(name).parts[0]
                if top.endswith(".data"):
                    raise UsageFault(
                        f"{wheel.name} has {name}", "choose a package without scripts, headers and data files"
                    )
                if not top.endswith(".dist-info"):
                    archive.extract(name, target)
    except BadZipFile as error:
        raise EnvironmentFault(f"{wheel}: {error}", f"delete {wheel.parent}, then try again") from error


def describe_wheel(wheel: Path) -> WheelFacts:
    """Read what a wheel says about itself, and hash it."""
    with ZipFile(wheel) as archive:
        information = sorted(name for name in archive.namelist() if ".dist-info/" in name)
        metadata = next(name for name in information if name.endswith(".dist-info/METADATA"))
        fields = email.message_from_string(archive.read(metadata).decode())
        licences = {
            PurePosixPath(name).name: archive.read(name).decode(errors="replace")
            for name in information
            if _LICENCE_FILE.match(PurePosixPath(name).name)
        }
    return WheelFacts(
        name=str(fields["Name"]),
        version=str(fields["Version"]),
        sha256=_sha256(wheel),
        licence=_first(fields, "License-Expression", "License"),
        author=_first(fields, "Author", "Author-email", "Maintainer", "Maintainer-email"),
        home_page=_first(fields, "Home-page") or _project_url(fields),
        licence_files=licences,
    )


def _first(fields: Message, *names: str) -> str:
    return next((str(fields[name]) for name in names if fields[name]), "")


def _project_url(fields: Message) -> str:
    """Choose among the labelled addresses, "Homepage, https://...", the one that is nearest to a home page."""
    pairs = (str(value).partition(",") for value in fields.get_all("Project-URL", []))
    urls = {label.strip().lower(): url.strip() for label, _, url in pairs}
    return next((urls[label] for label in _HOME_LABELS if label in urls), next(iter(urls.values()), ""))
