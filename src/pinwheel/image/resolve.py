# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From names of packages to a lock: apt itself resolves, against the mirror's signed indexes and an empty system."""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from pinwheel.errors import EnvironmentFault
from pinwheel.image.host import install_host_packages
from pinwheel.image.mirror import RELEASE, Mirror
from pinwheel.image.package_lock import LockedPackage, PackageLock
from pinwheel.progress import Progress

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
KEYRING_PACKAGE = "debian-archive-keyring"
"""The keys of Debian's archive, and the host's package that has them."""

_ESSENTIAL = "?essential"
_URI_LINE = re.compile(r"'(?P<url>\S+)' (?P<name>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})")


def resolve(requested: Sequence[str], mirror: Mirror, progress: Progress) -> PackageLock:
    """Lock `requested`, the essential packages and all that these depend on, without what they only recommend.

    Raises:
        EnvironmentFault: the mirror does not answer, its signature is bad, or a package does not exist.
    """
    if not KEYRING.exists():  # Ubuntu has it as a package that nothing else asks for
        install_host_packages([KEYRING_PACKAGE], progress)
    with progress.step(f"Resolving {len(requested)} packages"), tempfile.TemporaryDirectory() as workspace:
        apt = _private_apt(Path(workspace), mirror)
        _run([*apt, "update", "--error-on=any"])
        answer = _run([*apt, "--print-uris", "--yes", "install", _ESSENTIAL, *requested])
        return PackageLock(
            release=RELEASE,
            resolved_at=int(time.time()),
            requested=sorted(requested),
            packages=sorted(parse_uris(answer, mirror), key=lambda package: package.name),
        )


def parse_uris(answer: str, mirror: Mirror) -> Iterator[LockedPackage]:
    """Read the answer of `apt-get --print-uris`, a line a package: `'URL' NAME_VERSION_ARCH.deb SIZE SHA256:…`.

    Raises:
        EnvironmentFault: a package comes without a hash to lock it by.
    """
    for line in answer.splitlines():
        if not line.startswith("'"):
            continue
        match = _URI_LINE.match(line)
        if not match:
            raise EnvironmentFault(
                f"apt names a package without its SHA-256: {line}", "name another mirror with --mirror"
            )
        name, version, architecture = unquote(match["name"]).removesuffix(".deb").split("_")
        archive = next(key for key, base in mirror.archives.items() if match["url"].startswith(f"{base}/"))
        yield LockedPackage(
            name=name,
            version=version,
            architecture=architecture,
            archive=archive,  # type: ignore[arg-type]  # a key of the mirror's archives
            path=unquote(match["url"].removeprefix(f"{mirror.archives[archive]}/")),
            size=int(match["size"]),
            sha256=match["sha256"],
        )


def _private_apt(workspace: Path, mirror: Mirror) -> list[str]:
    """Give apt-get with its own empty world below `workspace`: nothing of the host's configuration takes part."""
    for directory in ("state/lists/partial", "cache/archives/partial", "etc", "parts"):
        (workspace / directory).mkdir(parents=True)
    (workspace / "status").touch()
    signed = f"deb [arch=amd64 signed-by={KEYRING}]"
    lines = [line.replace("deb", signed, 1) for line in mirror.sources_list()]
    (workspace / "etc/sources.list").write_text("\n".join(lines) + "\n")
    options = {
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::ForceHash": "SHA256",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "Dir::State": str(workspace / "state"),
        "Dir::State::status": str(workspace / "status"),
        "Dir::Cache": str(workspace / "cache"),
        "Dir::Etc::sourcelist": str(workspace / "etc/sources.list"),
        "Dir::Etc::sourceparts": str(workspace / "parts"),
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": str(workspace / "parts"),
        "Dir::Log": str(workspace),
    }
    return ["apt-get", *(f"--option={key}={value}" for key, value in options.items())]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))] or [done.stderr]
        raise EnvironmentFault(
            "apt could not resolve the packages:\n" + "\n".join(errors[-8:]),
            "check that the mirror answers and carries this release, or name another with --mirror",
        )
    return done.stdout
