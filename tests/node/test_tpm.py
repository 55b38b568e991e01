# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A machine's TPM: the real swtpm, asked over its control socket in QEMU's place."""

import subprocess
from pathlib import Path

import pytest

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.tpm import SOCKET, STATE, make_tpm, with_tpm

ASK = f"swtpm_ioctl --unix {SOCKET} -i && swtpm_ioctl --unix {SOCKET} -e"
"""Start the TPM as QEMU does, and ask it something."""


@pytest.fixture(scope="module")
def directory(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's directory, with a comma in its name, that no Unix socket's address could hold."""
    directory = tmp_path_factory.mktemp("machine") / ("with,comma-" + 100 * "n")
    directory.mkdir()
    make_tpm(directory, toolbox)
    return directory


def start(directory: Path, toolbox: Toolbox, script: str) -> subprocess.CompletedProcess[str]:
    command = ["env", f"--chdir={directory}", *with_tpm(["sh", "-c", script])]
    words = toolbox.command(command, writable=[directory], network=True, alone=True)
    return subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)


def test_tpm_answers_when_the_command_begins(directory: Path, toolbox: Toolbox) -> None:
    done = start(directory, toolbox, ASK)
    assert done.returncode == 0, done.stderr


def test_state_is_kept_private_and_between_two_starts(directory: Path, toolbox: Toolbox) -> None:
    assert (directory / STATE).stat().st_mode & 0o777 == 0o700
    assert start(directory, toolbox, "true").returncode == 0
    assert start(directory, toolbox, ASK).returncode == 0  # the first one holds no lock any more
    assert list((directory / STATE).glob("tpm2-00.permall"))


def test_command_whose_tpm_does_not_start_is_not_run(toolbox: Toolbox, tmp_path: Path) -> None:
    (tmp_path / SOCKET).mkdir()  # nobody can listen there
    done = start(tmp_path, toolbox, "echo ran")
    assert done.returncode != 0
    assert "ran" not in done.stdout
