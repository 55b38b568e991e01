# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Commands in a host container, from the client's side: input, output, terminal, exit code."""

import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest
from tests.node.client.conftest import call
from tests.support.api_service import Service

from pinwheel.api.client.transport import UnixTransport
from pinwheel.paths import PROJECT

CLIENT = "import sys; from pinwheel.node.apiclient import main; sys.exit(main())"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PROJECT / "src")}


def client(service: Service, *words: str) -> list[str]:
    return [sys.executable, "-c", CLIENT, "-s", str(service.path), "exec", *words]


def test_output_and_exit_code_are_the_commands(commands: Service) -> None:
    words = client(commands, "admin", "sh", "-c", "echo out; echo err >&2; exit 7")
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\nerr\n", b"")


def test_options_behind_the_command_are_the_commands(commands: Service) -> None:
    words = client(commands, "-T", "admin", "echo", "-s", "-v", "--help", "--")
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.stdout == b"-s -v --help --\n"


def test_more_input_than_may_be_outstanding_arrives_whole(commands: Service) -> None:
    data = os.urandom(1024) * 60_000
    words = client(commands, "admin", "cat")
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, input=data, timeout=60)
    assert done.returncode == 0
    assert done.stdout == data


def test_a_container_that_does_not_run_is_an_error(commands: Service, capfd: pytest.CaptureFixture[str]) -> None:
    done = call(capfd, UnixTransport(str(commands.path)), "exec", "-T", "nope", "true")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: there is no host container nope\n"


def test_a_terminal_is_raw_has_this_sides_size_and_follows_it(commands: Service) -> None:
    own, its = pty.openpty()
    resize(own, 30, 90)
    before = termios.tcgetattr(its)
    script = "stty size; read line; stty size; stty -isig -icanon; echo go; head -c 1 | od -An -tx1; exit 9"
    words = client(commands, "admin", "sh", "-c", script)
    process = subprocess.Popen(words, env=ENVIRONMENT, stdin=its, stdout=its, stderr=its, start_new_session=True)
    try:
        assert "30 90" in read_until(own, "30 90")
        assert not termios.tcgetattr(its)[3] & (termios.ICANON | termios.ISIG)
        resize(own, 50, 120)
        process.send_signal(signal.SIGWINCH)
        time.sleep(0.5)
        os.write(own, b"\r")
        assert "50 120" in read_until(own, "go")
        os.write(own, b"\x03")  # Ctrl-C is the command's
        assert "03" in read_until(own, "03")
        assert process.wait(20) == 9
        assert termios.tcgetattr(its) == before
    finally:
        process.kill()
        os.close(own)
        os.close(its)


def resize(terminal: int, rows: int, columns: int) -> None:
    termios.tcsetwinsize(terminal, (rows, columns))


def read_until(terminal: int, text: str) -> str:
    seen = ""
    deadline = time.monotonic() + 20
    while text not in seen and time.monotonic() < deadline:
        seen += os.read(terminal, 4096).decode()
    return seen
