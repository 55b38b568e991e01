# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The lock file: every Debian package of a tree, with version and hash. The same lock gives the same packages anywhere.

Locks live in `os/locks/NAME.json`, are read by people in reviews, and only `pinwheel build --update-lock` writes them.
"""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinwheel.errors import UsageFault
from pinwheel.paths import PROJECT

LOCKS = PROJECT / "os/locks"


class LockedPackage(BaseModel):
    """One binary package of the archive."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    architecture: str
    archive: Literal["debian", "debian-security"]
    path: str = Field(description="Where the archive keeps it, relative to the archive's base: pool/...")
    size: int = Field(description="Bytes.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class PackageLock(BaseModel):
    """All packages of one tree, and what was asked for when they were resolved."""

    schema_version: Literal[1] = 1
    release: str
    resolved_at: int = Field(description="When, in seconds since 1970: the time that all files of a build get.")
    requested: list[str]
    packages: list[LockedPackage]

    def digest(self) -> str:
        """Give the name of this set of packages: a hash over the packages' hashes."""
        return hashlib.sha256("\n".join(sorted(p.sha256 for p in self.packages)).encode()).hexdigest()

    def require(self, requested: list[str], name: str) -> None:
        """Check that the lock was resolved for just these packages.

        Raises:
            UsageFault: it was not; the message names the difference.
        """
        difference = sorted(set(requested) ^ set(self.requested))
        if difference:
            raise UsageFault(
                f"the lock of {name} was not resolved for what is asked for now: {', '.join(difference)}",
                "resolve anew with: pinwheel build --update-lock",
            )


def lock_file(name: str) -> Path:
    """Give the path of the lock called `name`: `toolbox`, or a variant's name."""
    return LOCKS / f"{name}.json"


def read_lock(file: Path) -> PackageLock:
    """Read a lock file.

    Raises:
        UsageFault: it is missing, or is not a lock.
    """
    again = "write it anew with: pinwheel build --update-lock"
    try:
        return PackageLock.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise UsageFault(f"there is no lock file {file}", again) from None
    except ValidationError as error:
        raise UsageFault(f"{file} is not a lock file: {error.errors()[0]['msg']}", again) from error


def write_lock(lock: PackageLock, file: Path) -> None:
    """Write a lock file, one package a line: a changed version is a changed line in a diff."""
    head = lock.model_dump(exclude={"packages"})
    lines = [json.dumps(package.model_dump()) for package in sorted(lock.packages, key=lambda p: p.name)]
    body = json.dumps(head, indent=1).removesuffix("\n}") + ',\n "packages": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(body)
    fresh.rename(file)
