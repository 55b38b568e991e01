# SPDX-License-Identifier: Apache-2.0 OR MIT
"""status, logs, events, metrics, reboot, poweroff and the support bundle, against the real service."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.node.actuator.conftest import Actuator
from tests.node.api.test_streams import journal
from tests.node.client.conftest import Cli
from tests.support.api_service import Service
from tests.support.ctrl_c import heed_ctrl_c
from tests.support.node_root import program

from pinwheel.node.paths import Paths
from pinwheel.paths import PROJECT


def test_status_says_whether_the_node_is_ready_and_why_not(cli: Cli) -> None:
    text = cli("status").out
    assert text.splitlines()[0].split(maxsplit=1)[0] == "readiness"
    assert "container engine does not answer" in text
    assert json.loads(cli("status", "--json").out)["ready"] is False


def test_logs_are_lines_for_people_or_for_programs(cli: Cli, root: Paths) -> None:
    journal(root)
    done = cli("logs", "-n", "2", "-u", "a.service", "-u", "b.service", "-p", "err", "-b", "0", "--since", "2h")
    assert done.out.splitlines() == ["2026-01-01 00:00:00 a.service: first", "2026-01-01 00:00:01 : second"]
    arguments = root.text("/run/journal.arguments").split()
    assert {"--lines=2", "--unit=a.service", "--unit=b.service", "--priority=err", "--boot=-0"} <= set(arguments)
    assert [json.loads(line)["message"] for line in cli("logs", "--json").out.splitlines()] == ["first", "second"]


def test_a_log_cannot_command_the_terminal(cli: Cli, root: Paths) -> None:
    entry = {"__REALTIME_TIMESTAMP": "1767225600000000", "MESSAGE": "\x1b[2J\u202ex", "SYSLOG_IDENTIFIER": "a\x07"}
    program(root, "/usr/bin/journalctl", f"cat <<'END'\n{json.dumps(entry)}\nEND")
    assert cli("logs").out == "2026-01-01 00:00:00 a\\x07: \\x1b[2J\\u202ex\n"


def following(service: Service, *arguments: str) -> "subprocess.Popen[str]":
    """Run the client as its own process."""
    code = "import sys; from pinwheel.node.apiclient import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, "-s", str(service.path), *arguments],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def test_logs_are_followed_until_ctrl_c(service: Service, root: Paths) -> None:
    journal(root, follow=True)
    client = following(service, "logs", "-f")
    assert client.stdout
    assert [client.stdout.readline(), client.stdout.readline()] == [
        "2026-01-01 00:00:00 a.service: first\n",
        "2026-01-01 00:00:01 : second\n",
    ]
    client.send_signal(2)
    assert client.wait(10) == 130
    assert client.communicate()[1] == "interrupted\n"


def test_a_reader_that_has_gone_is_no_error(service: Service, root: Paths) -> None:
    many = "\n".join(['{"__REALTIME_TIMESTAMP": "1767225600000000", "MESSAGE": "line"}'] * 5000)
    (root.at("/run/many")).write_text(many)
    program(root, "/usr/bin/journalctl", f"cat {root.at('/run/many')}")
    client = following(service, "logs")
    assert client.stdout
    client.stdout.readline()
    client.stdout.close()
    assert client.wait(10) == 0
    assert client.stderr
    assert client.stderr.read() == ""


def test_events_come_as_they_happen(service: Service, root: Paths) -> None:
    journal(root, follow=True)
    client = following(service, "events")
    assert client.stdout
    assert client.stdout.readline() == "2026-01-01 00:00:01 rollback: second\n"
    client.kill()
    client.wait()


def test_metrics_are_printed_as_they_are(cli: Cli) -> None:
    assert '\npinwheel_memory_bytes{kind="total"} 1024000\n' in cli("metrics").out


def test_the_end_of_the_machine_is_asked_for(cli: Cli, actuator: Actuator) -> None:
    assert cli("reboot") == (0, "", "")
    assert cli("poweroff") == (0, "", "")
    assert [unit for _, unit in actuator.units.done] == ["reboot.target", "poweroff.target"]


def test_the_support_bundle_becomes_a_file(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "support.tar"
    assert cli("support-bundle", "-o", str(file)).code == 0
    with tarfile.open(file) as archive:
        assert "pinwheel-support/status.json" in archive.getnames()
    assert list(tmp_path.glob(".*")) == []


def test_a_bundle_that_cannot_be_written_is_wrong_usage(cli: Cli) -> None:
    done = cli("support-bundle", "-o", "/not/there/support.tar")
    assert done.code == 2
    assert done.err == "error: cannot write /not/there/support.tar: No such file or directory\n"


def test_a_node_that_leaves_in_the_middle_is_an_environment_fault(
    service: Service, root: Paths, capfd: pytest.CaptureFixture[str]
) -> None:
    journal(root, follow=True)
    client = following(service, "get", "-s", "/not/there.sock")
    assert client.wait(10) == 1
