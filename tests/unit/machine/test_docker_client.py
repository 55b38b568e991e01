# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which Docker client runs, and where it is led."""

import shlex
import subprocess
from pathlib import Path

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.docker_client import (
    client_command,
    client_environment,
    docker_environment,
    export_lines,
    host_client,
)


def executable(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o755)
    return path


def test_any_client_is_led_to_the_machine_over_tls():
    assert docker_environment(4711, Path("/state/web/docker")) == {
        "DOCKER_HOST": "tcp://127.0.0.1:4711",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/state/web/docker",
    }


def test_export_lines_survive_a_shell():
    variables = docker_environment(4711, Path("/state/it's a $test/docker"))
    script = export_lines(variables) + '\nprintf %s "$DOCKER_CERT_PATH"'
    assert (
        subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
        == variables["DOCKER_CERT_PATH"]
    )


def test_users_own_settings_do_not_lead_elsewhere():
    base = {
        "HOME": "/home/me",
        "DOCKER_HOST": "unix:///elsewhere",
        "DOCKER_CONTEXT": "elsewhere",
        "DOCKER_API_VERSION": "1.24",
    }
    assert client_environment({"DOCKER_HOST": "tcp://127.0.0.1:1"}, base) == {
        "HOME": "/home/me",
        "DOCKER_HOST": "tcp://127.0.0.1:1",
    }


def test_client_of_the_host_is_preferred(tmp_path, monkeypatch):
    program = executable(tmp_path / "docker", "#!/bin/sh\nexit 7\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    command = client_command(["ps", "-a"], docker_environment(1, tmp_path), lambda: Toolbox(Path("/none")), tmp_path)
    assert command == [str(program), "ps", "-a"]


def test_stand_in_of_podman_is_passed_over(tmp_path):
    executable(tmp_path / "docker", '#!/bin/sh\nexec /usr/bin/podman "$@"\n')
    assert host_client(str(tmp_path)) is None


def test_toolbox_has_the_client_where_the_host_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    command = client_command(
        ["run", "-it"], docker_environment(1, tmp_path / "docker"), lambda: Toolbox(Path("/tools")), tmp_path
    )
    inside = shlex.join(command[command.index("--") + 1 :])
    assert command[0] == "bwrap"
    assert inside.endswith("docker run -it")
    assert "DOCKER_HOST=tcp://127.0.0.1:1" in inside
    assert "--unshare-net" not in command
