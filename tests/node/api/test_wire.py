# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Clients that are slow, greedy, or do not speak HTTP; and what the service keeps to all the same."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.support.api_service import LIMITS, Service, UnixConnection, everything, running
from tests.support.node_root import put

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths

VIEW = (
    '{"generation": 3, "settings": {"motd": "x"}, "set": {}, "services": {}, "configuration_files": {}, "affected": {}}'
)
GET = b"GET /settings HTTP/1.1\r\nhost: node\r\n\r\n"
IMPATIENT = LIMITS._replace(
    idle_seconds=0.5, head_seconds=0.5, body_seconds=0.5, write_seconds=0.5, drain_seconds=0.3, body_bytes=64 * 1024
)


@pytest.fixture
def root_with_view(root: Paths) -> Paths:
    put(root, places.VIEW, VIEW)
    return root


@pytest.fixture
def alone(root_with_view: Paths) -> Iterator[Service]:
    """The service, without an actuator, and without patience."""
    with running(root_with_view, IMPATIENT) as service:
        yield service


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1]) if answer else 0


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /settings\r\n\r\n", 400),
        (b"GET /settings HTTP/9.9\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\n broken\x00header: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (os.urandom(2000) + b"\r\n\r\n", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n", 431),
        (b"PATCH /settings HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"BREW /settings HTTP/1.1\r\nhost: x\r\n\r\n", 405),
        (b"HEAD /settings HTTP/1.1\r\nhost: x\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET http://node/settings HTTP/1.1\r\nhost: node\r\n\r\n", 404),
        (b"CONNECT example.com:80 HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /settings%00 HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /settings?keys=%zz%ff HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET /settings HTTP/1.1\r\nhost: x\r\norigin: https://evil.example\r\n\r\n", 403),
    ],
)
def test_what_is_no_request_of_ours_gets_an_error(alone: Service, content: bytes, status: int) -> None:
    assert status_of(alone.raw(content)) == status
    assert alone.ask("GET", "/settings").status == 200


def test_requests_follow_each_other_on_one_connection(alone: Service) -> None:
    answers = alone.raw(GET + GET + GET)
    assert answers.count(b"HTTP/1.1 200") == 3


def test_an_old_client_gets_an_answer_and_the_end(alone: Service) -> None:
    assert status_of(alone.raw(b"GET /settings HTTP/1.0\r\n\r\n", end=False)) == 200


def test_a_method_that_is_not_there_says_which_are(alone: Service) -> None:
    answer = alone.ask("POST", "/settings")
    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, GET, PATCH")


def test_a_silent_client_is_left(alone: Service) -> None:
    assert alone.raw(end=False) == b""


def test_a_client_that_never_ends_its_head_is_told_so(alone: Service) -> None:
    assert status_of(alone.raw(GET[:20], end=False)) == 408


def test_a_client_that_drips_its_head_is_told_so(alone: Service) -> None:
    with alone.open() as channel:
        started = time.monotonic()
        answer = b""
        channel.settimeout(0.1)
        while not answer and time.monotonic() - started < 10:
            channel.sendall(b"a")
            try:
                answer = channel.recv(100)
            except TimeoutError:
                continue
    assert status_of(answer) == 408
    assert time.monotonic() - started < 3


def test_a_body_that_does_not_come_is_not_waited_for(alone: Service) -> None:
    head = b"PATCH /settings HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"
    assert status_of(alone.raw(head, end=False)) == 408


@pytest.mark.parametrize("framing", [b"content-length: 10000000", b"transfer-encoding: chunked"])
def test_a_body_that_is_too_large_is_refused_and_its_sender_hears_of_it(alone: Service, framing: bytes) -> None:
    head = b"PATCH /settings HTTP/1.1\r\nhost: x\r\n" + framing + b"\r\n\r\n"
    chunk = b"20000\r\n" + b"x" * 0x20000 + b"\r\n" if b"chunked" in framing else b"x" * 0x20000
    assert status_of(alone.raw(head, chunk, chunk)) == 413


def test_a_body_is_only_asked_for_where_one_is_read(alone: Service) -> None:
    expect = b"host: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
    assert status_of(alone.raw(b"GET /settings HTTP/1.1\r\n" + expect, end=False)) == 200
    with alone.open() as channel:
        channel.sendall(b"PATCH /settings HTTP/1.1\r\n" + expect)
        assert status_of(channel.recv(1000)) == 100
        channel.sendall(b"[]")
        assert status_of(channel.recv(1000)) == 400


def test_a_client_that_does_not_read_is_torn_away(root_with_view: Paths) -> None:
    put(root_with_view, places.VIEW, VIEW.replace('"x"', f'"{"x" * 500_000}"'))
    with running(root_with_view, IMPATIENT) as service, service.open() as channel:
        channel.sendall(GET * 100)
        time.sleep(1.5)
        assert everything(channel).count(b"HTTP/1.1 200") < 100
        assert service.ask("GET", "/settings").status == 200


def test_many_idle_connections_shut_nobody_out_for_long(root_with_view: Paths) -> None:
    limits = IMPATIENT._replace(connections=4, connections_of_one=4, idle_seconds=1.0)
    with running(root_with_view, limits) as service:
        greedy = [service.open() for _ in range(4)]
        time.sleep(0.2)
        with service.open() as further:
            assert status_of(everything(further)) == 429
        time.sleep(1.2)
        assert service.ask("GET", "/settings").status == 200
        for channel in greedy:
            channel.close()


def test_clients_beside_each_other_all_get_answers(alone: Service) -> None:
    statuses = []

    def some() -> None:
        connection = UnixConnection(alone.path)
        for _ in range(20):
            connection.request("GET", "/settings")
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()

    threads = [threading.Thread(target=some) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 400


def test_a_view_that_was_replaced_is_read_anew(alone: Service, root_with_view: Paths) -> None:
    assert alone.ask("GET", "/settings").json == {"motd": "x"}
    fresh = put(root_with_view, f"{places.VIEW}.new", VIEW.replace('"x"', '"y"'))
    fresh.rename(root_with_view.at(places.VIEW))
    assert alone.ask("GET", "/settings").json == {"motd": "y"}


def test_a_mistake_of_ours_is_answered_and_says_nothing(alone: Service, root_with_view: Paths) -> None:
    put(root_with_view, places.VIEW, '{"secret-of-the-file"')
    answer = alone.ask("GET", "/settings")
    assert (answer.status, answer.codes) == (500, ["internal"])
    assert b"secret" not in answer.body


def test_metrics_count_what_was_answered(alone: Service, root_with_view: Paths) -> None:
    put(root_with_view, "/proc/stat", "cpu  100 0 50 1000 5 0 1 0 0 0\n")
    put(root_with_view, places.MEMORY, "MemTotal: 1000 kB\nMemAvailable: 600 kB\n")
    put(root_with_view, places.STATUS, '{"ready": true}')
    root_with_view.at(places.JOURNAL).mkdir(parents=True)
    alone.ask("GET", "/settings")
    alone.ask("GET", "/nothing")
    answer = alone.ask("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4"
    lines = answer.body.decode().splitlines()
    for line in (
        "pinwheel_ready 1",
        "pinwheel_settings_generation 3",
        'pinwheel_memory_bytes{kind="available"} 614400',
        'pinwheel_api_requests_total{status="200"} 1',
        'pinwheel_api_requests_total{status="404"} 1',
    ):
        assert line in lines
    assert any(line.startswith('pinwheel_data_bytes{kind="total"} ') for line in lines)
    for line in lines:
        assert line.startswith("# ") or float(line.rpartition(" ")[2]) >= 0


def test_it_leaves_when_nobody_is_there_and_not_before(root_with_view: Paths) -> None:
    limits = IMPATIENT._replace(leave_after_seconds=0.4, idle_seconds=1.2)
    with running(root_with_view, limits) as service, service.open() as channel:
        time.sleep(0.8)  # the connection keeps it there
        channel.sendall(GET)
        assert status_of(channel.recv(4096)) == 200
        channel.close()
        time.sleep(1.0)
        with pytest.raises(ConnectionRefusedError):  # the thread is at its end, and with it the socket
            service.open()


STARTED = """
import os, sys
os.dup2(int(sys.argv[2]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
from pinwheel.node.api import main
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.node import Node
from pathlib import Path
from pinwheel.node.paths import Paths
import asyncio
node = Node(Paths(Path(sys.argv[1])), Path("/nonexistent"), Limits(leave_after_seconds=1))
asyncio.run(main.serve(main.inherited(os.environ), node))
"""


@contextmanager
def started(root: Paths, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the service as systemd does, with a socket at a path."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        listener.listen()
        environment = {"LISTEN_FDS": "1", "PYTHONPATH": ":".join(sys.path)}
        words = [sys.executable, "-c", STARTED, str(root.root), str(listener.fileno())]
        with subprocess.Popen(words, env=environment, pass_fds=[listener.fileno()]) as process:
            yield process


def test_systemds_socket_is_taken_over_and_stays_behind(root_with_view: Paths) -> None:
    path = root_with_view.at("/run/given.sock")
    with started(root_with_view, path) as process:
        connection = UnixConnection(path)
        connection.request("GET", "/settings")
        assert connection.getresponse().status == 200
        connection.close()
        assert process.wait(20) == 0
        assert path.exists()


def test_what_has_been_asked_is_answered_before_it_ends(root_with_view: Paths) -> None:
    path = root_with_view.at("/run/given.sock")
    with started(root_with_view, path) as process, closing(UnixConnection(path)) as connection:
        connection.putrequest("PATCH", "/settings?tx=x")
        connection.putheader("Content-Length", "2")
        connection.endheaders()
        time.sleep(1.0)  # until it has begun with it
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.send(b"{}")
        assert connection.getresponse().status == 503  # the actuator is not there: an answer all the same
        assert process.wait(5) == 0
