# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.image.python_closure import Report
from pinwheel.image.python_definition import (
    EnvironmentDeclaration,
    LauncherDeclaration,
    ModuleDeclaration,
    PythonDefinition,
)
from pinwheel.image.python_runtime import build_python_runtime, entry_points_header
from pinwheel.progress import SilentProgress

DEFINITION = PythonDefinition(
    ModuleDeclaration(version="3.13", directory="/usr/lib/p", own=["ours.*"]),
    LauncherDeclaration.model_validate(
        {
            "commands": ["ask"],
            "entry-points": {"boot": "ours.boot:main", "ask": "ours.ask:main"},
            "environment": EnvironmentDeclaration(keep=["A", "B"], set={"PATH": "/usr/bin"}),
        }
    ),
)


class Answers:
    """A toolbox whose Python found what a test says."""

    def __init__(self, **changes: object) -> None:
        report = Report(python="3.13.5", modules=["ours", "ours.boot", "oursother"], inside=[], unresolved={})
        self.answer = json.dumps({**report, **changes}).encode()
        self.calls: list[list[str]] = []

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        input: bytes | None = None,  # noqa: A002
    ) -> bytes:
        self.calls.append([str(word) for word in argv])
        return self.answer


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lock without packages, and a cache: pip is asked once for nothing."""
    directory = tmp_path_factory.mktemp("shared")
    (directory / "node.txt").write_text("")
    return directory


def build(toolbox: Answers, shared: Path, out: Path) -> None:
    lock = shared / "node.txt"
    build_python_runtime(toolbox, out, shared / "cache", SilentProgress(), definition=DEFINITION, lock=lock)


def test_the_header_is_the_declaration_in_c() -> None:
    assert entry_points_header(DEFINITION).splitlines()[1:] == [
        '#define PYTHON_DIRECTORY "/usr/lib/p"',
        '#define ENTRY_POINTS {"boot", "ours.boot", "main", 0}, {"ask", "ours.ask", "main", 1}',
        '#define KEPT_VARIABLES "A", "B"',
        '#define SET_VARIABLES {"PATH", "/usr/bin"}',
    ]


def test_all_of_our_modules_and_entry_points_are_imported_before_the_build_ends(shared: Path, tmp_path: Path) -> None:
    toolbox = Answers()
    build(toolbox, shared, tmp_path / "out")
    names = toolbox.calls[-1][toolbox.calls[-1].index(str(tmp_path / "out")) + 1 :]
    assert names == ["ours", "ours.boot", "ours.boot:main", "ours.ask:main"]


def test_an_unresolved_import_stops_the_build_and_says_who_wants_it(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"ssl, imported by ours\.boot") as raised:
        build(Answers(unresolved={"ssl": ["ours.boot"]}), shared, tmp_path / "out")
    assert "os/python.toml" in raised.value.hint


def test_a_toolbox_of_another_python_stops_the_build(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"has Python 3\.12\.1, the image wants 3\.13"):
        build(Answers(python="3.12.1"), shared, tmp_path / "out")
