# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Declarations of host containers."""

from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image import host_container_definition as module
from pinwheel.image.host_container_definition import host_containers, lock_name, overlay, read_container_definition
from pinwheel.image.package_lock import lock_file, read_lock

GOOD = '[keep]\nprograms = ["/usr/bin/tool"]\n[config]\nentrypoint = ["/usr/bin/tool"]\n'


@pytest.mark.parametrize("name", host_containers())
def test_each_of_ours_is_declared_and_locked(name: str) -> None:
    definition = read_container_definition(name)
    start = definition.config.entrypoint[0]
    program = overlay(name) / start.lstrip("/")
    assert program.stat().st_mode & 0o111
    assert read_lock(lock_file(lock_name(name))).packages


@pytest.fixture
def containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "CONTAINERS", tmp_path)
    (tmp_path / "tool").mkdir()
    return tmp_path


@pytest.mark.parametrize(("text", "words"), [
    (GOOD.replace("[keep]", "[keep]\nprogramms = []"), "keep.programms"),
    (GOOD.replace('["/usr/bin/tool"]\n', "[]\n", 2), "config.entrypoint"),
    ("[config]\nentrypoint = ['x']\n", "keep"),
    ("not TOML", "tool/container.toml"),
])  # fmt: skip
def test_wrong_declaration_is_refused_with_its_place(containers: Path, text: str, words: str) -> None:
    (containers / "tool/container.toml").write_text(text)
    with pytest.raises(UsageFault, match=words):
        read_container_definition("tool")
