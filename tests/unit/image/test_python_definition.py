# SPDX-License-Identifier: Apache-2.0 OR MIT
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.python_definition import read_python_definition

PYTHON = 'version = "3.13"\ndirectory = "/usr/lib/p"\nown = ["ours.*"]\n'
ENTRY_POINTS = (
    '[entry-points]\nboot = "ours.boot:main"\n[environment]\nkeep = ["A"]\n[environment.set]\nPATH = "/usr/bin"\n'
)


def write(directory: Path, python: str = PYTHON, entry_points: str = ENTRY_POINTS) -> Path:
    (directory / "launcher").mkdir()
    (directory / "python.toml").write_text(python)
    (directory / "launcher/entry-points.toml").write_text(entry_points)
    return directory


def test_the_projects_own_declaration_is_sound() -> None:
    definition = read_python_definition()
    assert {"boot", "status", "apiclient"} <= set(definition.launcher.entry_points)
    assert definition.launcher.commands == ["apiclient"]
    assert definition.modules.directory == "/usr/lib/pinwheel/python"


def test_no_variable_that_changes_python_or_the_loader_is_kept() -> None:
    environment = read_python_definition().launcher.environment
    names = {*environment.keep, *environment.set}
    assert not {name for name in names if name.startswith(("PYTHON", "LD_", "GLIBC_", "MALLOC_", "OPENSSL_", "GCONV_"))}


@pytest.mark.parametrize(
    ("entry_points", "where"),
    [
        (ENTRY_POINTS.replace("boot =", '"bo ot" ='), "entry-points.bo ot"),
        (ENTRY_POINTS.replace("ours.boot:main", "ours.boot"), "entry-points.boot"),
        (ENTRY_POINTS.replace('"/usr/bin"', "'a\"}, {\"b'"), "environment.set.PATH"),
        (ENTRY_POINTS.replace('["A"]', '["A=B"]'), "environment.keep.0"),
        (ENTRY_POINTS + "[more]\n", "more"),
        ('commands = ["bo"]\n' + ENTRY_POINTS, "no entry point: bo"),
        ("[entry-points]\n[environment]\nkeep = []\n", "entry-points"),
    ],
)
def test_what_the_launcher_could_not_be_built_from_is_refused_with_its_place(
    tmp_path: Path, entry_points: str, where: str
) -> None:
    with pytest.raises(UsageFault, match=where):
        read_python_definition(write(tmp_path, entry_points=entry_points))


def test_a_syntax_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"python\.toml"):
        read_python_definition(write(tmp_path, python="version = "))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"python\.toml"):
        read_python_definition(tmp_path)
