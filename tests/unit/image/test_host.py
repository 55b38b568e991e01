# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Acting as root over one's own files, with and without being root."""

import os
import subprocess
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image.host import as_root, ensure_host_programs, install_host_packages
from pinwheel.progress import SilentProgress


def test_root_needs_no_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert as_root(["chown", "0", "f"]) == ["chown", "0", "f"]


def test_a_user_gets_a_namespace_with_the_subordinate_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    command = as_root(["chown", "0", "f"])
    assert command[0] == "unshare"
    assert {"--map-root-user", "--map-auto"} <= set(command)
    assert command[-3:] == ["chown", "0", "f"]


def test_command_runs_as_root() -> None:
    done = subprocess.run(as_root(["id", "-u"]), capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_programs_that_are_there_are_not_installed() -> None:
    progress = SilentProgress()
    ensure_host_programs(progress, ["sh"])
    assert progress.warnings == []


def test_without_apt_the_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="no apt-get") as caught:
        install_host_packages(["bubblewrap", "uidmap"], SilentProgress())
    assert "bubblewrap uidmap" in (caught.value.hint or "")


def test_failing_apt_is_shown_with_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: Unable to locate package bubblewrap' >&2\nexit 100\n")
    apt.chmod(0o755)
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\nexec "$@"\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EnvironmentFault, match="Unable to locate package bubblewrap") as caught:
        install_host_packages(["bubblewrap"], SilentProgress())
    assert caught.value.hint == "install by hand: bubblewrap"
