# SPDX-License-Identifier: Apache-2.0 OR MIT
"""THIRD-PARTY-NOTICES.txt: whose work an image contains, under which licences, and where its source is.

Copyright files refer to the common licences on a Debian system; the notice must stand by itself, so their texts are
added once.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from pinwheel.image.components import Components, DebianPackage, WheelFacts
from pinwheel.image.licences import licence_of_copyright, licence_of_wheel

_RULE = "=" * 78
_COMMON = "usr/share/common-licenses"
_REFERENCE = re.compile(rf"/{_COMMON}/([A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9])")


def make_notices(title: str, components: Components, tree: Path) -> str:
    """Write the notice of an image.

    Args:
        title: what the image is called: `pinwheel-docker 0.1.0`.
        components: what it contains.
        tree: the root of the Debian tree, for the texts of the common licences.
    """
    packages = list(_by_copyright(components.debian))
    sections = [
        _introduction(title),
        *(_debian_section(group) for group in packages),
        *(_wheel_section(wheel) for wheel in sorted(components.wheels, key=lambda wheel: wheel.name)),
        *(
            _common_section(name, text)
            for name, text in _common_licences((group[0].copyright for group in packages), tree)
        ),
    ]
    return f"\n{_RULE}\n".join(section.rstrip() + "\n" for section in sections)


def _introduction(title: str) -> str:
    return f"""\
Third-party notices of {title}

Pinwheel's own code is licensed under Apache-2.0 OR MIT, at your choice. The image contains the works of others listed
below, each under its own licences. The source of a Debian package is the source package named with it, in the version
named with it: Debian archives every version at https://snapshot.debian.org/, under /package/NAME/VERSION/. The sources
of Python packages are at https://pypi.org/, under /project/NAME/VERSION/. Pinwheel changes none of these works; it
leaves files out.
"""


def _by_copyright(packages: Iterable[DebianPackage]) -> Iterable[list[DebianPackage]]:
    """Put packages with one copyright text into one section: those of one source package mostly share theirs."""
    groups: dict[str, list[DebianPackage]] = {}
    for package in sorted(packages, key=lambda one: (one.name, one.architecture)):
        groups.setdefault(package.copyright, []).append(package)
    return groups.values()


def _debian_section(packages: list[DebianPackage]) -> str:
    lines = [f"{one.name} {one.version}, source: {one.source} {one.source_version}" for one in packages]
    first = packages[0]
    licences = licence_of_copyright(first.copyright, first.name).expression
    return "\n".join([*lines, f"Licences: {licences}", "", first.copyright])


def _wheel_section(wheel: WheelFacts) -> str:
    texts = [f"--- {name}\n\n{text.rstrip()}\n" for name, text in sorted(wheel.licence_files.items())]
    licence = licence_of_wheel(wheel.licence, "".join(wheel.licence_files.values()), wheel.name).expression
    by = f", by {wheel.author}" if wheel.author else ""
    return "\n".join([f"{wheel.name} {wheel.version} (Python package){by}", f"Licences: {licence}", "", *texts])


def _common_licences(copyrights: Iterable[str], tree: Path) -> list[tuple[str, str]]:
    """Give name and text of each common licence that is referred to; "GPL" is a link to the newest GPL."""
    named = {name for text in copyrights for name in _REFERENCE.findall(text)}
    files = {name: tree / _COMMON / name for name in sorted(named)}
    return [(name, file.read_text(errors="replace")) for name, file in files.items() if file.is_file()]


def _common_section(name: str, text: str) -> str:
    return f"/{_COMMON}/{name}\n\n{text}"
