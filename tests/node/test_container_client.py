# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The client as a host container has it: in a root without the node's C library, started by the static program."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.node.test_launcher import LIBRARIES, PROBE, build

from pinwheel.image.initrd import compile_static
from pinwheel.image.python_definition import read_python_definition
from pinwheel.image.toolbox import Toolbox
from pinwheel.image.tree import DEFINITION


@pytest.fixture(scope="module")
def built(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the node mounts into a host container as /usr/lib/pinwheel, around a client that tells what it sees."""
    directory = tmp_path_factory.mktemp("pinwheel")
    declared = read_python_definition()
    launcher = declared.launcher.model_copy(update={"entry_points": {"apiclient": "probe:report"}})
    modules = declared.modules.model_copy(update={"own": ["probe"]})
    build(toolbox, directory, replace(declared, modules=modules, launcher=launcher), PROBE)
    compile_static(DEFINITION / "launcher/apiclient.c", directory / "apiclient", toolbox)
    (directory / "lib").mkdir()
    return directory


def in_container(built: Path, toolbox: Toolbox, *arguments: str, libraries: bool = True) -> list[str]:
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/work"]
    words += ["--ro-bind", str(built), "/usr/lib/pinwheel"]
    if libraries:
        words += ["--ro-bind", f"{toolbox.root}/{LIBRARIES}", "/usr/lib/pinwheel/lib"]
    words += ["--ro-bind", f"{built}/apiclient", "/usr/local/bin/apiclient", "--chdir", "/work"]
    return [*words, "--", "/usr/local/bin/apiclient", *arguments]


def test_the_client_runs_where_no_c_library_is_and_gets_its_arguments(built: Path, toolbox: Toolbox) -> None:
    arguments = ["get", "settings.motd", "", "--", "-v"]
    done = subprocess.run(in_container(built, toolbox, *arguments), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["argv"] == ["apiclient", *arguments]
    assert seen["working directory"] == "/work"
    assert seen["path"] == ["/usr/lib/pinwheel/python"]


def test_without_the_nodes_libraries_it_says_what_is_missing(built: Path, toolbox: Toolbox) -> None:
    done = subprocess.run(in_container(built, toolbox, libraries=False), capture_output=True, text=True)
    assert done.returncode == 69
    assert done.stderr == "apiclient: /usr/lib/pinwheel/lib/ld-linux-x86-64.so.2: No such file or directory\n"
