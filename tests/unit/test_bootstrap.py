# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The script at the root, run by a Python whose `venv` and `pip` are quick: both make a directory, or fail."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinwheel.paths import PROJECT

SCRIPT = PROJECT / "pinwheel"

PYTHON = """\
#!{python}
import os, sys
from pathlib import Path
arguments = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(" ".join(arguments) + "\\n")
if arguments[:2] == ["-m", os.environ.get("FAILING")]:
    sys.exit("no room left")
if arguments[:2] == ["-m", "venv"]:
    program = Path(arguments[2], "bin/python")
    program.parent.mkdir(parents=True)
    program.write_text(Path(__file__).read_text())
    program.chmod(0o755)
if arguments[:2] == ["-m", "pinwheel.cli"]:
    variables = {{name: os.environ.get(name) for name in ("PYTHONPATH", "PINWHEEL_PROGRAM")}}
    print(__import__("json").dumps({{"arguments": arguments[2:], **variables}}))
"""

START = """\
import runpy, sys
script, sys.executable, *words = sys.argv[1:]
sys.argv = [script, *words]
runpy.run_path(script, run_name="__main__")
"""


class Workstation:
    """A machine with a cache directory of its own, and a Python of which each call is written down."""

    def __init__(self, home: Path) -> None:
        self.cache = home / "cache/pinwheel"
        self.calls_file = home / "calls"
        self.python = home / "python"
        self.python.write_text(PYTHON.format(python=sys.executable))
        self.python.chmod(0o755)
        self.environment = os.environ | {"XDG_CACHE_HOME": str(home / "cache"), "CALLS": str(self.calls_file)}

    def pinwheel(self, *words: str, failing: str = "") -> subprocess.CompletedProcess[str]:
        """Run the script; `failing` is the module that fails."""
        return subprocess.run(
            [sys.executable, "-c", START, str(SCRIPT), str(self.python), *words],
            env=self.environment | {"FAILING": failing},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    @property
    def environments(self) -> list[Path]:
        return sorted((self.cache / "python").iterdir())


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def test_first_run_makes_the_environment_and_becomes_the_command_line(workstation: Workstation) -> None:
    done = workstation.pinwheel("ps", "--json")
    assert json.loads(done.stdout) == {
        "arguments": ["ps", "--json"],
        "PYTHONPATH": str(PROJECT / "src"),
        "PINWHEEL_PROGRAM": str(SCRIPT),
    }
    assert "environment is ready" in done.stderr


def test_packages_are_installed_by_their_hashes_only(workstation: Workstation) -> None:
    workstation.pinwheel("ps")
    (install,) = (call for call in workstation.calls if call.startswith("-m pip"))
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    assert install.endswith("requirements/run.txt")


def test_second_run_makes_nothing_and_says_nothing(workstation: Workstation) -> None:
    workstation.pinwheel("ps")
    workstation.calls_file.unlink()
    assert workstation.pinwheel("ps").stderr == ""
    assert workstation.calls == ["-m pinwheel.cli ps"]


def test_tests_have_an_environment_of_their_own(workstation: Workstation) -> None:
    workstation.pinwheel("ps")
    workstation.pinwheel("test", "unit")
    assert len(workstation.environments) == 2
    assert workstation.calls[-2].endswith("requirements/test.txt")


@pytest.mark.parametrize("failing", ["venv", "pip"])
def test_environment_that_failed_half_way_is_not_there(workstation: Workstation, failing: str) -> None:
    done = workstation.pinwheel("ps", failing=failing)
    assert done.returncode == 1
    assert "no room left" in done.stderr
    assert workstation.environments == []


def test_run_after_a_failure_starts_afresh(workstation: Workstation) -> None:
    workstation.pinwheel("ps", failing="pip")
    assert workstation.pinwheel("ps").returncode == 0
    assert len(workstation.environments) == 1


def test_exit_code_is_that_of_the_command_line(workstation: Workstation) -> None:
    workstation.pinwheel("ps")
    assert workstation.pinwheel("ps", failing="pinwheel.cli").returncode == 1


def test_python_that_is_too_old_is_told_so() -> None:
    old = (
        "import sys, runpy; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (default)'; runpy.run_path(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", old, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "pinwheel: Python 3.11 or newer is needed, this is 3.9.2\n"


def test_python_that_is_too_old_can_read_the_script_so_far() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_script_is_executable() -> None:
    assert os.access(SCRIPT, os.X_OK)
