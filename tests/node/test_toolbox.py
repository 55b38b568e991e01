# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The real toolbox: what its programs see of the workstation, and what becomes of one that fails."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault
from pinwheel.image.toolbox import Toolbox

CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 3)"


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]


def _accept(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:
        return


def test_program_runs_and_its_output_is_given(toolbox: Toolbox) -> None:
    assert toolbox.run(["echo", "a word", Path("/a/path")]) == b"a word /a/path\n"


def test_program_gets_its_standard_input(toolbox: Toolbox) -> None:
    assert toolbox.run(["cat"], input=b"bytes \x00\xff") == b"bytes \x00\xff"
    assert toolbox.run(["cat"]) == b""


def test_tools_are_those_of_the_toolbox_whatever_the_host_has(toolbox: Toolbox) -> None:
    assert b'VERSION_ID="13"' in toolbox.run(["cat", "/etc/os-release"])


@pytest.mark.parametrize("tool", ["gcc", "mkfs.erofs", "mkosi", "qemu-img", "sbsign", "systemd-repart", "ukify"])
def test_tools_of_a_build_start(toolbox: Toolbox, tool: str) -> None:
    toolbox.run([tool, "--version"])


def test_host_paths_are_hidden_unless_they_are_listed(toolbox: Toolbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(EnvironmentFault, match="No such file"):
        toolbox.run(["cat", tmp_path / "secret"])
    assert toolbox.run(["cat", tmp_path / "secret"], readable=[tmp_path / "secret"]) == b"secret"


def test_home_directory_of_the_user_is_hidden(toolbox: Toolbox) -> None:
    assert toolbox.run(["ls", "-A", "/root", "/tmp", "/run"]).split() == [b"/root:", b"/run:", b"/tmp:"]


def test_neighbours_of_a_listed_path_stay_hidden(toolbox: Toolbox, tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    (tmp_path / "hidden").mkdir()
    assert toolbox.run(["ls", "-A", tmp_path], readable=[tmp_path / "shown"]) == b"shown\n"


def test_readable_path_cannot_be_changed(toolbox: Toolbox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with pytest.raises(EnvironmentFault, match="Read-only"):
        toolbox.run(["tee", tmp_path / "file"], readable=[tmp_path], root=True, input=b"after")
    assert (tmp_path / "file").read_text() == "before"


def test_writable_path_is_changed_on_the_host(toolbox: Toolbox, tmp_path: Path) -> None:
    toolbox.run(["tee", tmp_path / "file"], writable=[tmp_path], input=b"after")
    assert (tmp_path / "file").read_bytes() == b"after"


def test_toolbox_itself_cannot_be_changed(toolbox: Toolbox) -> None:
    for place in ("/usr/bin/planted", "/etc/planted"):
        with pytest.raises(EnvironmentFault, match="Read-only"):
            toolbox.run(["touch", place], root=True)


def test_root_in_the_toolbox_gives_files_to_others_of_its_own(toolbox: Toolbox, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shown = toolbox.run(
        ["sh", "-c", 'chown 7:8 "$0" && stat -c "%u:%g" "$0" && chown 0:0 "$0"', tmp_path / "file"],
        writable=[tmp_path],
        root=True,
    )
    assert shown == b"7:8\n"


def test_there_is_no_network_unless_it_is_asked_for(toolbox: Toolbox, port: int) -> None:
    with pytest.raises(EnvironmentFault):
        toolbox.run(["python3", "-c", CONNECT, str(port)])
    toolbox.run(["python3", "-c", CONNECT, str(port)], network=True)


def test_environment_of_the_user_does_not_choose_the_tools(
    toolbox: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert toolbox.run(["sh", "-c", "echo $PATH $LC_ALL $HOME"]) == b"/usr/sbin:/usr/bin C.UTF-8 /root\n"


def test_failing_tool_is_an_error_with_its_code_and_its_last_lines(toolbox: Toolbox) -> None:
    script = 'for n in $(seq 100); do echo "line $n"; done; echo "the reason" >&2; exit 7'
    with pytest.raises(EnvironmentFault) as caught:
        toolbox.run(["sh", "-c", script])
    lines = caught.value.message.splitlines()
    assert lines[0] == "sh failed with code 7:"
    assert lines[-1] == "the reason"
    assert len(lines) < 30


def test_tool_that_is_not_there_is_an_error(toolbox: Toolbox) -> None:
    with pytest.raises(EnvironmentFault, match="no-such-tool"):
        toolbox.run(["no-such-tool"])


def test_command_can_be_run_by_somebody_else(toolbox: Toolbox) -> None:
    done = subprocess.run(toolbox.command(["id", "-u"], root=True), capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_attached_program_ends_with_whoever_started_it(toolbox: Toolbox) -> None:
    command = toolbox.command(["sh", "-c", "echo started; exec cat"], attached=True)
    script = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", script, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        starter.kill()
        assert starter.stdout.read() == b""  # nobody holds the pipe any more


def test_what_a_program_leaves_running_ends_with_it_when_it_is_alone(toolbox: Toolbox) -> None:
    script = "(exec 2>&1; trap '' HUP; exec sleep 60) & echo left"
    command = toolbox.command(["sh", "-c", script], alone=True)
    assert subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout == "left\n"
