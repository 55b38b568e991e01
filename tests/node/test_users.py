# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The image's own users, entered by systemd's tool from the toolbox."""

from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.users import DECLARATION, add_users
from pinwheel.paths import PROJECT

PASSWD = "root:x:0:0:root:/root:/usr/sbin/nologin\n"
GROUP = "root:x:0:\nsystemd-journal:x:999:\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with users of Debian's, and our declaration."""
    for path, content in {"etc/passwd": PASSWD, "etc/group": GROUP, DECLARATION: ""}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    (tmp_path / DECLARATION).write_bytes((PROJECT / "os/root" / DECLARATION).read_bytes())
    return tmp_path


def test_declared_users_are_there_with_their_numbers_and_nothing_else_is(tree: Path, toolbox: Toolbox) -> None:
    add_users(tree, toolbox)
    users = (tree / "etc/passwd").read_text().removeprefix(PASSWD).splitlines()
    assert "pinwheel-api:x:275:275:Settings API:/:/usr/sbin/nologin" in users
    groups = (tree / "etc/group").read_text().removeprefix(GROUP).splitlines()
    assert {"api:x:274:", "pinwheel-api:x:275:"} <= set(groups)
    declared = [line.split()[1] for line in (tree / DECLARATION).read_text().splitlines() if line[:2] in {"u ", "g "}]
    assert sorted(line.partition(":")[0] for line in groups) == sorted(declared)
    assert {file.name for file in (tree / "etc").iterdir()} == {"passwd", "group"}


def test_entering_them_twice_changes_nothing(tree: Path, toolbox: Toolbox) -> None:
    add_users(tree, toolbox)
    before = (tree / "etc/passwd").read_bytes(), (tree / "etc/group").read_bytes()
    add_users(tree, toolbox)
    assert before == ((tree / "etc/passwd").read_bytes(), (tree / "etc/group").read_bytes())


def test_a_declaration_that_is_wrong_stops_the_build(tree: Path, toolbox: Toolbox) -> None:
    (tree / DECLARATION).write_text("u pinwheel-api not-a-number\n")
    with pytest.raises(EnvironmentFault):
        add_users(tree, toolbox)
