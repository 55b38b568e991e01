# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Apt configurations as they are found on machines, each below a root of its own."""

from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image.mirror import ENVIRONMENT_VARIABLE, Mirror, find_mirror

MIRROR = Mirror("http://mirror.test/debian", "http://mirror.test/debian-security")

DEB822 = """\
# Debian's own archives
Types: deb deb-src
URIs: http://mirror.test/debian/
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://secure.test/debian-security
Suites: trixie-security
Components: main
"""


@pytest.fixture(autouse=True)
def no_mirror_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_one_line_sources(tmp_path: Path) -> None:
    put(
        tmp_path,
        "etc/apt/sources.list",
        "# deb http://commented.test/debian trixie main\n"
        "deb-src http://sources.test/debian trixie main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian/ trixie main # the near one\n"
        "deb http://secure.test/debian-security trixie-security main\n",
    )
    assert find_mirror(root=tmp_path) == Mirror("http://mirror.test/debian", "http://secure.test/debian-security")


def test_options_need_no_blank_after_them(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list", "deb [trusted=yes]http://mirror.test/debian trixie main\n")
    assert find_mirror(root=tmp_path) == MIRROR


def test_deb822_sources(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list.d/debian.sources", DEB822)
    assert find_mirror(root=tmp_path) == Mirror("http://mirror.test/debian", "http://secure.test/debian-security")


def test_security_archive_is_looked_for_beside_the_main_one_when_it_is_not_named(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list.d/d.sources", "Types: deb\nURIs: http://mirror.test/debian\nSuites: trixie\n")
    assert find_mirror(root=tmp_path) == MIRROR


@pytest.mark.parametrize("no", ["no", "No", "false", "off", "disable", "without"])
def test_disabled_paragraph_does_not_count(tmp_path: Path, no: str) -> None:
    disabled = f"Enabled: {no}\nTypes: deb\nURIs: http://disabled.test/debian\nSuites: trixie trixie-updates\n\n"
    put(tmp_path, "etc/apt/sources.list.d/debian.sources", disabled + DEB822)
    assert find_mirror(root=tmp_path).main == "http://mirror.test/debian"


def test_files_that_apt_ignores_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list.d/a.list.save", "deb http://old.test/debian trixie main\n")
    put(tmp_path, "etc/apt/sources.list.d/a.sources.dpkg-old", DEB822.replace("mirror.test", "old.test"))
    put(tmp_path, "etc/apt/sources.list.d/debian.sources", DEB822)
    assert find_mirror(root=tmp_path).main == "http://mirror.test/debian"


def test_somebody_elses_archive_for_debian_is_not_taken_for_debian(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list.d/a.list", "deb https://vendor.test/stable/deb/debian any-version main\n")
    put(tmp_path, "etc/apt/sources.list.d/debian.sources", DEB822)
    assert find_mirror(root=tmp_path).main == "http://mirror.test/debian"


@pytest.mark.parametrize("style", ["one-line", "deb822"])
def test_mirror_lists_of_cloud_images(tmp_path: Path, style: str) -> None:
    uri = "mirror+file:/etc/apt/mirrors/debian.list"
    line = f"deb {uri} trixie main\n"
    paragraph = f"Types: deb\nURIs: {uri}\nSuites: trixie trixie-updates\nComponents: main\n"
    name, text = ("debian.list", line) if style == "one-line" else ("debian.sources", paragraph)
    put(tmp_path, f"etc/apt/sources.list.d/{name}", text)
    put(
        tmp_path,
        "etc/apt/mirrors/debian.list",
        "# near\nhttp://mirror.test/debian/ priority:1\n\nhttp://far.test/debian\n",
    )
    assert find_mirror(root=tmp_path) == MIRROR


def test_ubuntu_uses_the_template_of_python_apt(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list.d/ubuntu.sources", "Types: deb\nURIs: http://u.test/ubuntu\nSuites: noble\n")
    put(
        tmp_path,
        "usr/share/python-apt/templates/Debian.info",
        "Suite: {series}\nRepositoryType: deb\nBaseURI: http://mirror.test/debian/\nMatchURI: mirror\n"
        "Suite: {series}-security\nBaseURI: http://security.test/\n",
    )
    assert find_mirror(root=tmp_path) == MIRROR


def test_asked_mirror_wins_over_environment_and_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "etc/apt/sources.list.d/debian.sources", DEB822)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "http://environment.test/debian")
    assert find_mirror(root=tmp_path).main == "http://environment.test/debian"
    assert find_mirror("http://asked.test/pub/debian/", root=tmp_path) == Mirror(
        "http://asked.test/pub/debian", "http://asked.test/pub/debian-security"
    )


def test_no_mirror_is_an_error_that_says_how_to_name_one(tmp_path: Path) -> None:
    put(tmp_path, "etc/apt/sources.list", "deb cdrom:[Debian]/ trixie main\n")
    with pytest.raises(EnvironmentFault, match="no Debian mirror") as caught:
        find_mirror(root=tmp_path)
    assert "--mirror" in (caught.value.hint or "")


def test_sources_list_has_updates_and_security() -> None:
    assert MIRROR.sources_list() == [
        "deb http://mirror.test/debian trixie main",
        "deb http://mirror.test/debian trixie-updates main",
        "deb http://mirror.test/debian-security trixie-security main",
    ]
