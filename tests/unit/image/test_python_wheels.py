# SPDX-License-Identifier: Apache-2.0 OR MIT
import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.python_wheels import describe_wheel, fetch_wheels, locked_hashes, unpack_wheel
from pinwheel.progress import SilentProgress

METADATA = """\
Metadata-Version: 2.4
Name: wind-mill
Version: 1.2
Author-email: Zoë <zoe@example.org>
License-Expression: MIT
Project-URL: Changelog, https://example.org/changes
Project-URL: Homepage, https://example.org/
"""


def make_wheel(directory: Path, files: dict[str, str] | None = None, metadata: str = METADATA) -> Path:
    wheel = directory / "wind_mill-1.2-py3-none-any.whl"
    contents = {
        "wind_mill/__init__.py": "",
        "wind_mill-1.2.dist-info/METADATA": metadata,
        "wind_mill-1.2.dist-info/licenses/LICENSE.txt": "You may.",
        **(files or {}),
    }
    with ZipFile(wheel, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return wheel


def test_facts_come_from_the_wheels_metadata(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    facts = describe_wheel(wheel)
    assert (facts.name, facts.version, facts.licence) == ("wind-mill", "1.2", "MIT")
    assert facts.author == "Zoë <zoe@example.org>"
    assert facts.home_page == "https://example.org/"
    assert facts.licence_files == {"LICENSE.txt": "You may."}
    assert facts.sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_older_metadata_has_its_licence_and_home_page_in_other_fields(tmp_path: Path) -> None:
    old = "Name: old\nVersion: 1\nLicense: BSD\nHome-page: https://old.example/\nAuthor: Somebody\n"
    facts = describe_wheel(make_wheel(tmp_path, metadata=old))
    assert (facts.licence, facts.home_page, facts.author) == ("BSD", "https://old.example/", "Somebody")


def test_only_modules_are_unpacked(tmp_path: Path) -> None:
    unpack_wheel(make_wheel(tmp_path), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["wind_mill"]


def test_a_wheel_that_installs_elsewhere_is_refused_by_name(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"wind_mill-1.2.data/scripts/mill": ""})
    with pytest.raises(UsageFault, match="scripts/mill"):
        unpack_wheel(wheel, tmp_path / "out")


def test_a_wheel_cut_short_is_an_error_that_names_it(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:-40])
    with pytest.raises(EnvironmentFault, match="wind_mill"):
        unpack_wheel(wheel, tmp_path / "out")


def test_all_hashes_of_a_lock_are_accepted() -> None:
    lock = f"a==1 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n    # via c\n"
    assert locked_hashes(lock) == {"a" * 64, "b" * 64}


@pytest.fixture
def mill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock whose only package is in a local directory, so that the real pip fetches it without a network."""
    (tmp_path / "index").mkdir()
    wheel = make_wheel(tmp_path / "index", {"wind_mill-1.2.dist-info/WHEEL": "Wheel-Version: 1.0\n"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    lock = tmp_path / "node.txt"
    lock.write_text(f"wind-mill==1.2 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return lock


def test_wheels_are_fetched_once(mill: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch_wheels(mill, "3.13", tmp_path / "cache", SilentProgress())
    monkeypatch.setenv("PIP_FIND_LINKS", "/nonexistent")
    assert fetch_wheels(mill, "3.13", tmp_path / "cache", SilentProgress()) == first
    assert [wheel.name for wheel in first] == ["wind_mill-1.2-py3-none-any.whl"]


def test_a_wheel_with_another_hash_is_refused_and_nothing_is_kept(mill: Path, tmp_path: Path) -> None:
    mill.write_text(f"wind-mill==1.2 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(EnvironmentFault, match="HASH"):
        fetch_wheels(mill, "3.13", tmp_path / "cache", SilentProgress())
    assert not list((tmp_path / "cache/wheels").iterdir())


def test_a_wheel_changed_in_the_cache_is_noticed(mill: Path, tmp_path: Path) -> None:
    (wheel,) = fetch_wheels(mill, "3.13", tmp_path / "cache", SilentProgress())
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(EnvironmentFault, match="damaged") as raised:
        fetch_wheels(mill, "3.13", tmp_path / "cache", SilentProgress())
    assert str(wheel.parent) in raised.value.hint
