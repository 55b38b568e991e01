# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Answers without an end: logs that are followed, events, the support bundle; and commands over a websocket."""

import io
import json
import os
import pty
import socket
import tarfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.node.actuator.conftest import Actuator
from tests.support.api_service import LIMITS, Service, everything, running
from tests.support.node_root import program, put
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from pinwheel.node.actuator.protocol import Exec
from pinwheel.node.actuator.refusal import Refusal
from pinwheel.node.actuator.server import Conversation, Server
from pinwheel.node.api.handlers import exec as exec_module
from pinwheel.node.api.handlers import logs as logs_module
from pinwheel.node.api.node import ACTUATOR
from pinwheel.node.paths import Paths

ENTRIES = [
    {"__REALTIME_TIMESTAMP": "1767225600000000", "MESSAGE": "first", "_SYSTEMD_UNIT": "a.service", "__CURSOR": "s=1"},
    {"__REALTIME_TIMESTAMP": "1767225601000000", "MESSAGE": "second", "PINWHEEL_EVENT": "rollback", "__CURSOR": "s=2"},
]
JOURNALCTL = "/usr/bin/journalctl"


def journal(root: Paths, *, follow: bool = False, more: str = "") -> None:
    """Put a journalctl that notes its arguments and prints two entries; following, it stays."""
    lines = "\n".join(f"echo '{json.dumps(entry)}'" for entry in ENTRIES)
    stay = f"echo $$ > {root.at('/run/journal.pid')}; exec sleep 100" if follow else ""
    program(root, JOURNALCTL, f'echo "$@" > {root.at("/run/journal.arguments")}\n{lines}\n{more}\n{stay}')


@pytest.fixture
def alone(root: Paths) -> Iterator[Service]:
    with running(root, LIMITS._replace(streams=2)) as service:
        yield service


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):  # the second: it ended between open and read
            return True
        time.sleep(0.05)
    return False


# ---- logs and events ----


def test_logs_are_lines_of_json(alone: Service, root: Paths) -> None:
    journal(root)
    answer = alone.ask("GET", "/logs?lines=2&unit=a.service&priority=err")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["message"] for line in answer.body.splitlines()] == ["first", "second"]
    arguments = root.text("/run/journal.arguments")
    assert arguments == "--output=json --no-pager --quiet --lines=2 --unit=a.service --priority=err"


def test_logs_can_be_text(alone: Service, root: Paths) -> None:
    journal(root)
    answer = alone.ask("GET", "/logs?format=text")
    assert answer.body.splitlines()[0] == b"2026-01-01T00:00:00.000000Z a.service: first"


def test_an_entry_beyond_all_measure_is_passed_over(alone: Service, root: Paths) -> None:
    journal(root, more="head -c 3000000 /dev/zero | tr '\\0' x; echo\necho '{\"MESSAGE\": \"last\"}'")
    lines = alone.ask("GET", "/logs").body.splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["first", "second", "last"]


def test_following_ends_with_its_client(alone: Service, root: Paths) -> None:
    journal(root, follow=True)
    with alone.open() as channel:
        channel.sendall(b"GET /logs?follow=true HTTP/1.1\r\nhost: x\r\n\r\n")
        received = b""
        while b"second" not in received:
            received += channel.recv(4096)
        while not (text := root.text("/run/journal.pid")):
            time.sleep(0.01)
        pid = int(text)
        assert not gone_now(pid)
    assert gone(pid)


def gone_now(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")  # noqa: PTH110


def test_a_stream_says_that_it_is_there(alone: Service, root: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "KEEP_ALIVE_SECONDS", 0.2)
    journal(root, follow=True)
    with alone.open() as channel:
        channel.sendall(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n")
        received = b""
        while b": still here" not in received:
            received += channel.recv(4096)


def test_events_are_those_entries_that_are_events(alone: Service, root: Paths) -> None:
    journal(root)
    answer = alone.ask("GET", "/events", last_event_id="s=1;i=2")
    assert answer.headers["content-type"] == "text/event-stream"
    identifier, event, data = answer.body.decode().strip().split("\n")
    assert (identifier, event) == ("id: s=2", "event: rollback")
    assert json.loads(data.removeprefix("data: "))["message"] == "second"
    assert "--after-cursor=s=1;i=2" in root.text("/run/journal.arguments")
    assert "_SYSTEMD_UNIT=pinwheel-actuator.service" in root.text("/run/journal.arguments")


def test_an_id_that_is_none_is_refused(alone: Service) -> None:
    assert alone.ask("GET", "/events", last_event_id="x --help").status == 400


def test_there_is_an_end_to_the_number_of_streams(alone: Service, root: Paths) -> None:
    journal(root, follow=True)
    channels = [alone.open() for _ in range(2)]
    for channel in channels:
        channel.sendall(b"GET /logs?follow=true HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200" in channel.recv(12)
    assert alone.ask("GET", "/logs").status == 429
    for channel in channels:
        channel.close()
    deadline = time.monotonic() + 10
    journal(root)
    while (status := alone.ask("GET", "/logs").status) == 429 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status == 200


def test_a_journal_that_cannot_be_read_is_our_fault_and_costs_no_place(alone: Service) -> None:
    for _ in range(4):
        assert alone.ask("GET", "/logs").status == 500


def test_who_sends_more_than_a_request_while_it_listens_is_left(alone: Service, root: Paths) -> None:
    journal(root, follow=True)
    with alone.open() as channel:
        channel.sendall(b"GET /logs?follow=true HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            for _ in range(100):
                channel.sendall(b"x" * 10_000)
                time.sleep(0.01)
        except ConnectionError:
            pass
        everything(channel)


# ---- the support bundle ----


def test_the_support_bundle_arrives_whole(service: Service) -> None:
    answer = service.ask("POST", "/support-bundle")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-tar")
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
        assert "pinwheel-support/status.json" in archive.getnames()


def test_status_is_looked_at_now(service: Service) -> None:
    status = service.ask("GET", "/status").json
    assert (status["ready"], status["slot"]) == (False, "a")
    assert any("engine" in reason for reason in status["reasons"])


def test_the_end_of_the_machine_is_handed_on(service: Service, actuator: Actuator) -> None:
    assert service.ask("POST", "/actions/reboot").status == 204
    assert service.ask("POST", "/actions/poweroff").status == 204
    assert [unit for _, unit in actuator.units.done] == ["reboot.target", "poweroff.target"]


# ---- commands ----


def run_command(request: Exec, conversation: Conversation) -> int:
    """What an actuator does for `exec`, with a process of this machine in the place of a container's."""
    import subprocess

    if request.container != "admin":
        raise Refusal(404, f"there is no host container {request.container}")
    if request.tty:
        own, its = pty.openpty()
        termios.tcsetwinsize(own, (request.rows, request.columns))
        process = subprocess.Popen(request.command, stdin=its, stdout=its, stderr=its, start_new_session=True)
        os.close(its)
        conversation.started([own])
        os.close(own)
    else:
        process = subprocess.Popen(
            request.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdin
        assert process.stdout
        conversation.started([process.stdin.fileno(), process.stdout.fileno()])
        process.stdin.close()
        process.stdout.close()
    ended = os.pidfd_open(process.pid)
    if not conversation.stays_until(ended):
        process.kill()
    os.close(ended)
    process.wait()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


@pytest.fixture
def commands(root: Paths) -> Iterator[Service]:
    """The service, and an actuator that runs commands."""
    path = root.at(ACTUATOR)
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(path))
    listener.listen()
    handler: Callable[[Any, Conversation], object] = run_command
    thread = threading.Thread(target=Server(listener, handler, {os.getuid()}, idle=0.5).serve)
    thread.start()
    with running(root, LIMITS._replace(streams=3)) as service:
        yield service
    thread.join()
    listener.close()


class Client:
    """A websocket's other end."""

    def __init__(self, service: Service) -> None:
        self.channel = service.open()
        self._frames = WSConnection(ConnectionType.CLIENT)
        self.send(Request("node", "/exec"))
        assert isinstance(self.next(), AcceptConnection)
        self.output = b""
        self.capacity = 0

    def send(self, event: Event) -> None:
        self.channel.sendall(self._frames.send(event))

    def text(self, value: Any) -> None:
        self.send(TextMessage(json.dumps(value)))

    def start(self, *command: str, target: str = "admin", tty: Any = None) -> None:
        self.text({"Initialize": {"command": list(command), "target": target, "tty": tty}})

    def next(self) -> Event:
        while True:
            for event in self._frames.events():
                return event
            data = self.channel.recv(65536)
            self._frames.receive_data(data or None)

    def step(self) -> CloseConnection | None:
        match event := self.next():
            case BytesMessage():
                self.output += event.data
            case TextMessage():
                self.capacity = json.loads(event.data)["Capacity"]["messages_written"]
            case Ping():
                self.send(event.response())
            case CloseConnection():
                return event
        return None

    def until_closed(self) -> tuple[int, str]:
        while (end := self.step()) is None:
            pass
        self.channel.close()
        return end.code, end.reason or ""


def test_a_command_gives_its_output_and_its_exit_code(commands: Service) -> None:
    client = Client(commands)
    client.start("sh", "-c", "echo out; echo err >&2; exit 7")
    assert client.until_closed() == (1000, "7")
    assert client.output == b"out\nerr\n"


def test_a_command_reads_its_input_to_the_end(commands: Service) -> None:
    client = Client(commands)
    client.start("cat")

    def send() -> None:
        for _ in range(300):
            client.send(BytesMessage(b"x" * 4096))
        client.text("ContentComplete")

    sender = threading.Thread(target=send)
    sender.start()
    assert client.until_closed() == (1000, "0")
    sender.join()
    assert client.output == b"x" * 4096 * 300
    assert client.capacity == 256


def test_a_command_on_a_terminal_has_the_clients_size(commands: Service) -> None:
    client = Client(commands)
    client.start("sh", "-c", "stty size; read line; stty size; tty", tty={"size": {"rows": 30, "cols": 90}})
    while b"30 90" not in client.output:
        client.step()
    client.text({"Winch": {"rows": 50, "cols": 120}})
    client.send(BytesMessage(b"\n"))
    assert client.until_closed() == (1000, "0")
    assert b"50 120" in client.output
    assert b"/dev/" in client.output


def test_arguments_as_bottlerockets_client_writes_them(commands: Service) -> None:
    client = Client(commands)
    client.text({"Initialize": {"command": [{"Unix": list(b"echo")}, {"Unix": list("ä".encode())}], "target": "admin"}})
    assert client.until_closed() == (1000, "0")
    assert client.output == "ä\n".encode()


def test_a_command_ends_with_its_client(commands: Service) -> None:
    client = Client(commands)
    client.start("sh", "-c", "echo $$; exec sleep 100")
    while not client.output.endswith(b"\n"):
        client.step()
    client.channel.close()
    assert gone(int(client.output))


def test_a_client_that_says_goodbye_is_answered(commands: Service) -> None:
    client = Client(commands)
    client.start("sleep", "100")
    client.send(CloseConnection(1000, "enough"))
    assert client.until_closed()[0] == 1000


def test_a_silent_client_is_given_up(commands: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_module, "DEAD_SECONDS", 0.6)
    monkeypatch.setattr(exec_module, "PING_SECONDS", 0.1)
    client = Client(commands)
    client.start("sleep", "100")
    pings = 0
    while not isinstance(event := client.next(), CloseConnection):
        pings += isinstance(event, Ping)
    assert (event.code, event.reason) == (1008, "no sign of life")
    assert pings >= 3
    client.channel.close()


def test_a_command_that_leaves_somebody_behind_with_its_output_still_ends(
    commands: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_module, "REST_SECONDS", 0.2)
    client = Client(commands)
    client.start("sh", "-c", "sleep 20 & echo $!")
    started = time.monotonic()
    assert client.until_closed() == (1000, "0")
    assert time.monotonic() - started < 10
    os.kill(int(client.output), 9)


def test_a_container_that_is_not_there_is_said(commands: Service) -> None:
    client = Client(commands)
    client.start("true", target="nobody")
    assert client.until_closed() == (1011, "there is no host container nobody")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (BytesMessage(b"input"), 1008),
        (TextMessage("{"), 1007),
        (TextMessage("[" * 10_000), 1007),
        (TextMessage("null"), 1008),
        (TextMessage('"ContentComplete"'), 1008),
        (TextMessage('{"Initialize": {}}'), 1007),
        (TextMessage('{"Initialize": {"command": [], "target": "admin"}}'), 1007),
        (TextMessage('{"Initialize": {"command": "ls", "target": "admin"}}'), 1007),
        (TextMessage('{"Initialize": {"command": ["ls", 1], "target": "admin"}}'), 1007),
        (TextMessage('{"Initialize": {"command": ["a\\u0000b"], "target": "admin"}}'), 1007),
        (TextMessage('{"Initialize": {"command": ["\\ud800"], "target": "admin"}}'), 1007),
        (TextMessage('{"Initialize": {"command": [{"Unix": [999]}], "target": "admin"}}'), 1007),
        (TextMessage("x" * 70_000), 1009),
    ],
)
def test_a_first_message_that_is_none_closes(commands: Service, message: Event, code: int) -> None:
    client = Client(commands)
    client.send(message)
    assert client.until_closed()[0] == code


@pytest.mark.parametrize(
    "value", [{"Initialize": {"command": ["ls"], "target": "admin"}}, "Hello", {"Winch": {"rows": 0}}, 7]
)
def test_a_later_message_that_is_none_closes(commands: Service, value: Any) -> None:
    client = Client(commands)
    client.start("sleep", "100")
    client.text(value)
    assert client.until_closed()[0] == 1003


def test_frames_that_break_the_protocol_close(commands: Service) -> None:
    for content in (b"\x81\x05hello", b"\xff" * 100, b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"):
        client = Client(commands)
        client.channel.sendall(content)  # not masked; reserved bits; larger than there are bytes
        assert client.until_closed()[0] in {1002, 1009}


def test_there_is_an_end_to_the_number_of_commands(commands: Service) -> None:
    clients = [Client(commands) for _ in range(3)]
    for client in clients:
        client.start("sleep", "100")
    time.sleep(0.3)
    assert Client(commands).until_closed()[0] == 1013
    for client in clients:
        client.channel.close()


def test_what_is_no_websocket_is_told_so(commands: Service) -> None:
    assert commands.ask("GET", "/exec").status == 426
    headers = {"upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13"}
    assert commands.ask("GET", "/exec", **headers).status == 400
    assert commands.ask("GET", "/exec", **headers, sec_websocket_key="AAAA").status == 400
    headers["sec_websocket_version"] = "8"
    assert commands.ask("GET", "/exec", **headers).status == 426


def test_pings_of_the_client_are_answered(commands: Service) -> None:
    client = Client(commands)
    client.start("sleep", "100")
    client.send(Ping(b"there?"))
    while not isinstance(event := client.next(), Pong):
        assert not isinstance(event, RejectConnection)
    assert event.payload == b"there?"
    client.channel.close()


def test_nobody_else_is_kept_waiting_by_a_command(commands: Service, root: Paths) -> None:
    put(root, "/etc/os-release", "VARIANT_ID=docker\n")
    client = Client(commands)
    client.start("sh", "-c", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    time.sleep(0.5)  # nobody reads: it comes to a stop
    assert commands.ask("GET", "/os").status == 200
    client.channel.close()
