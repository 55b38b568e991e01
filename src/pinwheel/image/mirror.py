# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which Debian mirror to use: the one that the workstation's own apt configuration names, or the one that is asked for.

Formats: sources.list(5), one-line and deb822 style, and apt-transport-mirror(1)'s `mirror+file:` lists.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Deb822

from pinwheel.errors import EnvironmentFault

RELEASE = "trixie"
"""The Debian release that Pinwheel is made from (Debian 13)."""

ENVIRONMENT_VARIABLE = "PINWHEEL_MIRROR"
_TEMPLATES = Path("usr/share/python-apt/templates/Debian.info")
_HINT = f"name one with --mirror URL or {ENVIRONMENT_VARIABLE}: the URL that has dists/{RELEASE} below it"


@dataclass(frozen=True)
class Mirror:
    """The two archives of one Debian mirror, as base URLs without a slash at the end."""

    main: str
    security: str

    @property
    def archives(self) -> dict[str, str]:
        """Base URL by the archive's name, as locks name it."""
        return {"debian": self.main, "debian-security": self.security}

    def sources_list(self) -> list[str]:
        """Give the lines of a sources.list(5) for the whole release: main, updates, security."""
        return [
            f"deb {self.main} {RELEASE} main",
            f"deb {self.main} {RELEASE}-updates main",
            f"deb {self.security} {RELEASE}-security main",
        ]


def find_mirror(asked: str | None = None, root: Path = Path("/")) -> Mirror:
    """Find the mirror: `asked`, else the environment's, else the one of the apt configuration below `root`.

    Raises:
        EnvironmentFault: none is known.
    """
    asked = asked or os.environ.get(ENVIRONMENT_VARIABLE)
    if asked:
        return from_main_url(asked)
    found = choose(list(_configured_uris(root))) or _from_template(root)
    if not found:
        raise EnvironmentFault("this machine's apt configuration names no Debian mirror", _HINT)
    return found


def from_main_url(url: str) -> Mirror:
    """Make a mirror of its main archive's URL; mirrors keep the security archive beside it."""
    main = url.rstrip("/")
    return Mirror(main, main.removesuffix("/debian") + "/debian-security")


def choose(uris: Iterable[str]) -> Mirror | None:
    """Pick the Debian archives out of all URIs that an apt configuration names."""
    debian = [uri.rstrip("/") for uri in uris if uri.startswith(("http://", "https://"))]
    main = next((uri for uri in debian if uri.endswith("/debian")), None)
    security = next((uri for uri in debian if uri.endswith("/debian-security")), None)
    if not main:
        return None
    return Mirror(main, security or from_main_url(main).security)


def _configured_uris(root: Path) -> Iterator[str]:
    apt = root / "etc/apt"
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not file.is_file():
            continue
        text = file.read_text(errors="replace")
        uris = _deb822_uris(text) if file.suffix == ".sources" else _one_line_uris(text)
        for uri in uris:
            yield from _expand_mirror_list(uri, root)


def _one_line_uris(text: str) -> Iterator[str]:
    for line in text.splitlines():
        words = line.split("#", 1)[0].replace("[", " [").replace("]", "] ").split()
        if words and words[0] == "deb":
            yield from (word for word in words[1:] if "://" in word or word.startswith("mirror+"))


def _deb822_uris(text: str) -> Iterator[str]:
    for paragraph in Deb822.iter_paragraphs(text, use_apt_pkg=False):
        if "deb" in paragraph.get("Types", "").split() and paragraph.get("Enabled", "yes").lower() != "no":
            yield from paragraph.get("URIs", "").split()


def _expand_mirror_list(uri: str, root: Path) -> Iterator[str]:
    """Cloud images name a file that lists mirrors in place of a mirror."""
    if not uri.startswith("mirror+file:"):
        yield uri
        return
    file = root / uri.removeprefix("mirror+file:").lstrip("/")
    if file.is_file():
        yield from (line.split()[0] for line in file.read_text().splitlines() if line.strip())


def _from_template(root: Path) -> Mirror | None:
    """Ubuntu names no Debian mirror, but ships the list of Debian's own entry points with python-apt."""
    file = root / _TEMPLATES
    if not file.is_file():
        return None
    lines = file.read_text(errors="replace").splitlines()
    return choose(line.split(":", 1)[1].strip() for line in lines if line.startswith("BaseURI:"))
