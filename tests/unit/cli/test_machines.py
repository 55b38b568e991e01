# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs for machines, through the command line's own parser."""

import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner, Result

from pinwheel.cli import machines, run
from pinwheel.errors import UsageFault
from pinwheel.machine.machine import Machine
from pinwheel.machine.qemu import CONSOLE_LOG, STATUS_LOG
from pinwheel.machine.store import MachineStore

app = typer.Typer(pretty_exceptions_enable=False)
machines.add_to(app)
run.add_to(app)

PROBLEM = {"code": "unknown-key", "path": "settings.modt", "line": 2, "message": "no such key", "hint": "motd?"}
STATUS = {
    "schema": 1, "ready": True, "version": "0.1.0", "variant": "docker", "slot": "a", "root_hash": "abc",
    "secure_boot": True, "addresses": ["10.0.2.15"], "user_data": {"source": "credential", "problems": [PROBLEM]},
}  # fmt: skip


def pinwheel(*words: str) -> Result:
    result = CliRunner().invoke(app, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def say_ready(machine: Machine) -> None:
    (machine.directory / STATUS_LOG).write_text(json.dumps(STATUS) + "\n")


def test_list_without_machines_is_empty_for_programs_and_helpful_for_people(store):
    assert json.loads(pinwheel("ps", "--json").stdout) == []
    assert pinwheel("ps").exit_code == 0


def test_list_shows_state_and_ports(running_machine):
    say_ready(running_machine)
    (document,) = json.loads(pinwheel("ps", "--json").stdout)
    assert (document["name"], document["state"], document["version"]) == ("web", "ready", "0.1.0")
    assert document["docker"]["DOCKER_HOST"] == "tcp://127.0.0.1:4711"
    assert document["uptime_seconds"] < 60
    assert "web" in pinwheel("ps").stdout


def test_stopped_machine_shows_nothing_of_its_last_run(stopped_machine):
    say_ready(stopped_machine)
    (document,) = json.loads(pinwheel("ps", "--json").stdout)
    assert (document["state"], document["node"], document["pid"]) == ("stopped", None, None)


def test_status_says_what_the_node_says(running_machine):
    say_ready(running_machine)
    text = pinwheel("status", "web").stdout
    for part in ("web, ready", "0.1.0", "abc", "10.0.2.15", "settings.modt: no such key"):
        assert part in text
    assert json.loads(pinwheel("status", "web", "--json").stdout)["node"]["root_hash"] == "abc"


@pytest.mark.parametrize("words", [("status",), ("logs",), ("stop",), ("rm",), ("console",), ("docker", "--env")])
def test_unknown_machine_is_refused_naming_the_known_ones(stopped_machine, words):
    with pytest.raises(UsageFault) as caught:
        pinwheel(words[0], "nobody", *words[1:])
    assert caught.value.hint == "there are: web"


@pytest.mark.parametrize("words", [("console", "web"), ("docker", "web", "--env")])
def test_what_needs_a_running_machine_says_how_to_start_it(stopped_machine, words):
    with pytest.raises(UsageFault) as caught:
        pinwheel(*words)
    assert "run --name web" in caught.value.hint


def test_logs_are_the_consoles_bytes(stopped_machine):
    (stopped_machine.directory / CONSOLE_LOG).write_bytes(b"boot\r\n\xff")
    assert pinwheel("logs", "web").stdout_bytes == b"boot\r\n\xff"
    assert pinwheel("logs", "web", "--follow").stdout_bytes == b"boot\r\n\xff"


def test_stopped_machine_is_stopped(stopped_machine):
    assert pinwheel("stop", "web").exit_code == 0


def test_running_machine_is_removed_by_force_only(running_machine):
    with pytest.raises(UsageFault, match="is running"):
        pinwheel("rm", "web")
    assert running_machine.is_running()
    assert pinwheel("rm", "web", "--force").exit_code == 0
    assert not running_machine.is_running()
    assert MachineStore().names() == []


def test_variables_for_docker_are_exported_for_a_shell_or_as_json(running_machine):
    variables = running_machine.docker_environment()
    script = pinwheel("docker", "web", "--env").stdout + 'printf %s "$DOCKER_HOST"'
    assert (
        subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
        == variables["DOCKER_HOST"]
    )
    assert json.loads(pinwheel("docker", "web", "--env", "--json").stdout) == variables


def test_docker_command_gets_its_arguments_its_input_and_gives_its_exit_code(running_machine, tmp_path):
    client = tmp_path / "bin/docker"
    client.parent.mkdir()
    client.write_text('#!/bin/sh\nread line\necho "$DOCKER_HOST $# $2 $line"\nexit 42\n')
    client.chmod(0o755)
    program = "import typer; from pinwheel.cli import machines; app = typer.Typer(); machines.add_to(app); app()"
    done = subprocess.run(
        [sys.executable, "-c", program, "docker", "web", "--", "run", "--rm", "a b"],
        env={**os.environ, "PATH": f"{client.parent}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)},
        input="hello\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (42, "")
    assert done.stdout == "tcp://127.0.0.1:4711 3 --rm hello\n"


def test_run_of_a_running_machine_says_what_to_type_next(running_machine, monkeypatch):
    monkeypatch.setenv("PINWHEEL_PROGRAM", "./pinwheel")
    say_ready(running_machine)
    result = pinwheel("run", "--name", "web")
    assert result.exit_code == 0
    assert "./pinwheel docker web -- run" in result.stdout
    assert "./pinwheel stop web" in result.stdout


def test_run_refuses_what_is_no_size(store):
    with pytest.raises(UsageFault, match="not a size"):
        pinwheel("run", "--memory", "lots")


def test_names_complete(stopped_machine):
    from pinwheel.cli.machine_view import complete_names

    assert complete_names("w") == ["web"]
    assert complete_names("x") == []
