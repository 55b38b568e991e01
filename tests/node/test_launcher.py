# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The real launcher and a real directory of modules, attacked in a root that has these, libraries, and little else."""

import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.launcher_attacks import ATTACKS, HOME, LINKS, MARKER, PAYLOAD, PLACE, Attack, file_content

from pinwheel.errors import CheckFailed
from pinwheel.image.python_definition import PythonDefinition, read_python_definition
from pinwheel.image.python_runtime import PythonRuntime, build_launchers, build_python_runtime, check_libpython
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT, cache_directory
from pinwheel.progress import SilentProgress

PROBE = PROJECT / "tests/support/probe"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
ENTRY_POINTS = {
    "status": "probe:report",
    "apiclient": "probe:report",
    "boot": "probe:nothing",
    "number": "probe:number",
    "leave": "probe:leave",
    "fail": "probe:fail",
    "stray": "probe:stray",
}


@dataclass(frozen=True)
class Node:
    """A root like a node's, in a sandbox; `scratch` takes what is written to it."""

    toolbox: Toolbox
    built: Path

    def run(
        self, scratch: Path, program: list[str], attack: Attack, with_python: bool = False
    ) -> subprocess.CompletedProcess[str]:
        words = [
            "bwrap",
            "--unshare-all",
            "--die-with-parent",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--symlink",
            "usr/lib",
            "/lib",
        ]
        words += ["--symlink", "usr/lib64", "/lib64", "--ro-bind", f"{self.built}/python", "/usr/lib/pinwheel/python"]
        binds = [LIBRARIES, "usr/lib64", *(["usr/bin", "usr/lib/python3.13"] if with_python else [])]
        for path in binds:
            words += ["--ro-bind", f"{self.toolbox.root}/{path}", f"/{path}"]
        words += ["--ro-bind", f"{self.built}/launch", "/usr/lib/pinwheel/launch"]
        words += self._plant(scratch, attack)
        words += ["--clearenv", "--setenv", "HOME", HOME, "--setenv", "PATH", "/usr/bin", "--chdir", PLACE]
        for name, value in attack.environment.items():
            words += ["--setenv", name, value]
        return subprocess.run([*words, "--", *program], input=attack.stdin, capture_output=True, text=True, timeout=60)

    def _plant(self, scratch: Path, attack: Attack) -> list[str]:
        words = []
        for directory in ("tmp", "run", "var", HOME.strip("/")):
            (scratch / directory).mkdir(parents=True)
            words += ["--bind", f"{scratch}/{directory}", f"/{directory}"]
        (scratch / PLACE.strip("/")).mkdir()
        (scratch / LINKS.strip("/")).mkdir()
        for name in ("apiclient", "status", "python3", "python3.13"):
            (scratch / LINKS.strip("/") / name).symlink_to("/usr/lib/pinwheel/launch")
        for path, content in attack.files.items():
            file = scratch / path.strip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(file_content(path, content, self.toolbox))
            if not path.startswith(("/tmp/", "/run/", "/var/", f"{HOME}/")):
                words += ["--ro-bind", str(file), path]
        return words


@pytest.fixture(scope="session")
def definition() -> PythonDefinition:
    declared = read_python_definition()
    modules = declared.modules.model_copy(update={"own": ["probe"]})
    return replace(
        declared,
        modules=modules,
        launcher=declared.launcher.model_copy(update={"entry_points": ENTRY_POINTS, "commands": ["apiclient"]}),
    )


def build(toolbox: Toolbox, target: Path, definition: PythonDefinition, sources: Path) -> None:
    cache = cache_directory()
    build_python_runtime(toolbox, target / "python", cache, SilentProgress(), definition=definition, sources=sources)
    build_launchers(toolbox, target, definition=definition)


@pytest.fixture(scope="session")
def node(toolbox: Toolbox, definition: PythonDefinition, tmp_path_factory) -> Node:
    built = tmp_path_factory.mktemp("built")
    build(toolbox, built, definition, PROBE)
    return Node(toolbox, built)


def launch(node: Node, scratch: Path, attack: Attack) -> subprocess.CompletedProcess[str]:
    return node.run(scratch, [attack.program, *attack.arguments], attack)


def run_entry(node: Node, scratch: Path, name: str, **attack: Any) -> subprocess.CompletedProcess[str]:
    return launch(node, scratch, Attack("plain", (name,), **attack))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_runs_nothing_of_its_own(node: Node, tmp_path: Path, attack: Attack) -> None:
    done = launch(node, tmp_path, attack)
    assert not (tmp_path / MARKER.strip("/")).exists()
    if attack.refused:
        assert (done.returncode, done.stdout) == (64, "")
        assert done.stderr == f"usage: launch NAME\nNAME is one of: {' '.join(ENTRY_POINTS)}\n"
    else:
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert all(origin.startswith("/usr/lib/pinwheel/python/") for origin in seen["origins"])
        assert seen["path"] == ["/usr/lib/pinwheel/python"]
        assert not {name for name in seen["environment"] if name.startswith(("PYTHON", "LD_"))}
        is_link = attack.program.startswith(LINKS)
        assert seen["argv"] == [*(["apiclient"] if is_link else []), *attack.arguments]


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.control], ids=lambda attack: attack.name)
def test_the_attack_works_on_an_ordinary_python(node: Node, tmp_path: Path, attack: Attack) -> None:
    node.run(tmp_path, ["python3", *attack.control], attack, with_python=True)
    assert (tmp_path / MARKER.strip("/")).exists()


def test_an_entry_point_sees_an_isolated_interpreter(node: Node, tmp_path: Path) -> None:
    seen = json.loads(run_entry(node, tmp_path, "status", environment={"NOTIFY_SOCKET": "/run/n"}).stdout)
    expected = {"isolated": 1, "ignore_environment": 1, "no_site": 1, "no_user_site": 1, "safe_path": True}
    expected |= {
        "inspect": 0,
        "interactive": 0,
        "dont_write_bytecode": 1,
        "optimize": 0,
        "utf8_mode": 1,
        "dev_mode": False,
    }
    assert {name: seen["flags"][name] for name in expected} == expected
    assert seen["argv"] == ["status"]
    assert seen["executable"] == ""
    assert seen["prefixes"] == ["/usr/lib/pinwheel/python"] * 3
    assert seen["working directory"] == "/"
    assert seen["hooks"] == ["image_path_hook"]
    assert not {"site", "sitecustomize", "usercustomize", "runpy"} & set(seen["modules"])


@pytest.mark.parametrize(
    "called", [("/usr/lib/pinwheel/launch", "apiclient"), (f"{LINKS}/apiclient",)], ids=["name", "link"]
)
def test_a_command_sees_its_arguments_and_its_callers_directory_and_the_same_interpreter(
    node: Node, tmp_path: Path, called: tuple[str, ...]
) -> None:
    arguments = ["get", "settings.motd", "-v", "--", "ü"]
    seen = json.loads(node.run(tmp_path / "a", [*called, *arguments], Attack("plain")).stdout)
    plain = json.loads(run_entry(node, tmp_path / "b", "status").stdout)
    assert seen["argv"] == ["apiclient", *arguments]
    assert seen["working directory"] == PLACE
    differing = {name for name in seen if seen[name] != plain[name]}
    assert differing == {"argv", "working directory"}


def test_only_declared_variables_are_left(node: Node, tmp_path: Path, definition: PythonDefinition) -> None:
    given = {
        "NOTIFY_SOCKET": "/run/n",
        "CREDENTIALS_DIRECTORY": "/run/c",
        "ANYTHING": "x",
        "LD_LIBRARY_PATH": "/x",
        "PATH": "/tmp",
    }
    seen = json.loads(run_entry(node, tmp_path, "status", environment=given).stdout)
    kept = {"NOTIFY_SOCKET": "/run/n", "CREDENTIALS_DIRECTORY": "/run/c"}
    assert seen["environment"] == kept | definition.launcher.environment.set


def test_imports_from_another_directory_are_refused_even_to_our_own_code(node: Node, tmp_path: Path) -> None:
    files = {f"{PLACE}/evil.py": PAYLOAD, f"{PLACE}/evil.pyc": PAYLOAD, f"{PLACE}/evil.zip": PAYLOAD}
    done = run_entry(node, tmp_path, "stray", files=files)
    assert len(json.loads(done.stdout)) == 5, done.stderr
    assert not (tmp_path / MARKER.strip("/")).exists()


@pytest.mark.parametrize(("name", "code"), [("boot", 0), ("number", 9), ("leave", 1), ("fail", 1)])
def test_the_exit_code_is_the_entry_points(node: Node, tmp_path: Path, name: str, code: int) -> None:
    assert run_entry(node, tmp_path, name).returncode == code


def test_an_exception_shows_its_traceback_with_the_nodes_paths(node: Node, tmp_path: Path) -> None:
    shown = run_entry(node, tmp_path, "fail").stderr
    assert 'File "/usr/lib/pinwheel/python/probe.py", line' in shown
    assert shown.endswith("ValueError: this is shown\n")


def test_a_runtime_that_is_not_there_is_an_error_and_no_search_elsewhere(node: Node, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    (empty / "python").mkdir(parents=True)
    (empty / "launch").symlink_to(node.built / "launch")
    done = run_entry(replace(node, built=empty), tmp_path / "scratch", "status", environment={"PYTHONHOME": "/usr"})
    assert done.returncode == 1
    assert "encodings" in done.stderr


def test_two_builds_in_different_places_are_the_same_bytes(
    node: Node, toolbox: Toolbox, definition: PythonDefinition, tmp_path: Path
) -> None:
    sources = tmp_path / "elsewhere/deeper"
    shutil.copytree(PROBE, sources)
    again = tmp_path / "again"
    build(toolbox, again, definition, sources)
    assert contents(again) == contents(node.built)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_the_runtime_has_no_source_and_no_build_path(node: Node) -> None:
    files = contents(node.built)
    assert {Path(name).suffix for name in files if name.startswith("python/")} == {".pyc", ".so"}
    probe = files["python/probe.pyc"]
    assert b"/usr/lib/pinwheel/python/probe.py" in probe
    assert str(node.built.parent).encode() not in probe


def test_an_image_with_another_python_than_the_toolboxs_is_refused(toolbox: Toolbox) -> None:
    library = toolbox.root / LIBRARIES / "libpython3.13.so.1.0"
    version = toolbox.run(["python3", "-I", "-c", "import platform; print(platform.python_version())"]).decode().strip()
    check_libpython(PythonRuntime(version, (), ()), library)
    with pytest.raises(CheckFailed, match=f"is Python {version}, but its modules were compiled by 3.13.99"):
        check_libpython(PythonRuntime("3.13.99", (), ()), library)


def test_a_library_that_is_no_python_is_refused(toolbox: Toolbox) -> None:
    with pytest.raises(CheckFailed, match="is no libpython"):
        check_libpython(PythonRuntime("3.13.5", (), ()), toolbox.root / LIBRARIES / "libm.so.6")
