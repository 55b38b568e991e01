# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which Debian mirror to use: the one that the workstation's own apt configuration names, or the one that is asked for.

Formats: sources.list(5), one-line and deb822 style, and apt-transport-mirror(1)'s `mirror+file:` lists.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Deb822

from pinwheel.errors import EnvironmentFault

RELEASE = "trixie"
"""The Debian release that Pinwheel is made from (Debian 13)."""

ENVIRONMENT_VARIABLE = "PINWHEEL_MIRROR"
_TEMPLATES = Path("usr/share/python-apt/templates/Debian.info")
_HINT = f"name one with --mirror URL or {ENVIRONMENT_VARIABLE}: the URL that has dists/{RELEASE} below it"


_ONE_LINE = re.compile(r"\s*deb\s+(\[[^]]*\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)")
_NO = ("no", "false", "without", "off", "disable")
"""What apt takes for no."""


@dataclass(frozen=True)
class Source:
    """One archive that an apt configuration names, and the suites that it wants of it."""

    uri: str
    suites: tuple[str, ...] = ()


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


MirrorFinder = Callable[[], Mirror]
"""Looks for the mirror when something is really fetched: what is in the cache needs none."""


def find_mirror(asked: str | None = None, root: Path = Path("/")) -> Mirror:
    """Find the mirror: `asked`, else the environment's, else the one of the apt configuration below `root`.

    Raises:
        EnvironmentFault: none is known.
    """
    asked = asked or os.environ.get(ENVIRONMENT_VARIABLE)
    if asked:
        return from_main_url(asked)
    found = choose(_configured_sources(root)) or _from_template(root)
    if not found:
        raise EnvironmentFault("this machine's apt configuration names no Debian mirror", _HINT)
    return found


def from_main_url(url: str) -> Mirror:
    """Make a mirror of its main archive's URL; mirrors keep the security archive beside it."""
    main = url.rstrip("/")
    return Mirror(main, main.removesuffix("/debian") + "/debian-security")


def choose(sources: Iterable[Source]) -> Mirror | None:
    """Pick the Debian archives out of all that an apt configuration names.

    Other archives of packages for Debian may end in /debian, too; only Debian's own has a suite of updates.
    """
    web = [source for source in sources if source.uri.startswith(("http://", "https://"))]
    main = [source for source in web if source.uri.endswith("/debian")]
    main.sort(key=lambda source: not any(suite.endswith("-updates") for suite in source.suites))
    security = next((source.uri for source in web if source.uri.endswith("/debian-security")), None)
    if not main:
        return None
    return Mirror(main[0].uri, security or from_main_url(main[0].uri).security)


def _configured_sources(root: Path) -> Iterator[Source]:
    apt = root / "etc/apt"
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        # Files with other names (backups of editors and packages, for example) mean nothing to apt.
        if file.is_file() and file.suffix in (".list", ".sources"):
            text = file.read_text(errors="replace")
            for source in _deb822_sources(text) if file.suffix == ".sources" else _one_line_sources(text):
                yield from (Source(uri.rstrip("/"), source.suites) for uri in _expand_mirror_list(source.uri, root))


def _one_line_sources(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        match = _ONE_LINE.match(line.split("#", 1)[0])
        if match:
            yield Source(match["uri"], (match["suite"],))


def _deb822_sources(text: str) -> Iterator[Source]:
    for paragraph in Deb822.iter_paragraphs(text, use_apt_pkg=False):
        if "deb" in paragraph.get("Types", "").split() and paragraph.get("Enabled", "yes").lower() not in _NO:
            suites = tuple(paragraph.get("Suites", "").split())
            yield from (Source(uri, suites) for uri in paragraph.get("URIs", "").split())


def _expand_mirror_list(uri: str, root: Path) -> Iterator[str]:
    """Cloud images name a file that lists mirrors in place of a mirror."""
    if not uri.startswith("mirror+file:"):
        yield uri
        return
    file = root / uri.removeprefix("mirror+file:").lstrip("/")
    if file.is_file():
        lines = (line.split("#", 1)[0].split() for line in file.read_text().splitlines())
        yield from (words[0] for words in lines if words)


def _from_template(root: Path) -> Mirror | None:
    """Ubuntu names no Debian mirror, but ships the list of Debian's own entry points with python-apt."""
    file = root / _TEMPLATES
    if not file.is_file():
        return None
    lines = file.read_text(errors="replace").splitlines()
    uris = (line.split(":", 1)[1].strip().rstrip("/") for line in lines if line.startswith("BaseURI:"))
    return choose(Source(uri) for uri in uris)
