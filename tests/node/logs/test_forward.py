# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Forwarding to real servers on this machine: datagrams, streams, TLS, HTTP. Only journalctl is another program."""

import http.server
import json
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.node_root import program, put

from pinwheel.node import paths as places
from pinwheel.node.logs.forward import Limits, destinations, forward
from pinwheel.node.logs.journal import Journal
from pinwheel.node.logs.otlp import Collector, RefusedError
from pinwheel.node.logs.syslog import Stream
from pinwheel.node.paths import Paths

QUICK = Limits(first_pause=0.05, longest_pause=0.1)


def entry(number: int) -> dict[str, Any]:
    return {"__CURSOR": f"c{number}", "__REALTIME_TIMESTAMP": "1763850000123456", "MESSAGE": f"line {number}"}


def journalctl(root: Paths, count: int) -> None:
    """Have journalctl write entries, note how it was called, and wait for more, as with --follow."""
    lines = "\n".join(json.dumps(entry(number)) for number in range(count))
    put(root, "/lines", f"{lines}\n")
    program(root, places.JOURNALCTL, f'echo "$@" >> {root.root}/asked\ncat {root.root}/lines\nexec sleep 60')


def sent(frames: bytes) -> list[str]:
    """Take counted frames of RFC 6587 apart, and give the messages' last words."""
    found = []
    while frames:
        length, _, rest = frames.partition(b" ")
        found.append(rest[: int(length)].decode().rpartition("- - ")[2])
        frames = rest[int(length) :]
    return found


class Server:
    """A server of a stream that keeps what it got; each connection ends after so many bytes, if told so."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.context = context
        self.received: list[bytes] = []
        self.arrived = threading.Semaphore(0)

    def serve(self, connections: int, reads: int | None = None) -> threading.Thread:
        def run() -> None:
            for _ in range(connections):
                channel, _address = self.listener.accept()
                with self.context.wrap_socket(channel, server_side=True) if self.context else channel as one:
                    self._read(one, reads)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _read(self, channel: socket.socket, reads: int | None) -> None:
        count = 0
        while (reads is None or count < reads) and (chunk := channel.recv(65536)):
            self.received.append(chunk)
            self.arrived.release()
            count += 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for localhost, with its key in the same file."""
    file = tmp_path / "localhost.pem"
    command = ["openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:P-256", "-noenc", "-days", "2", "-subj", "/CN=localhost", "-addext"]
    command += ["subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key"), "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "key").read_text())
    return file


def test_entries_come_in_batches_from_the_cursor_on(root):
    journalctl(root, 300)
    with Journal(root, "warning", "c9") as journal:
        batches = journal.batches()
        got = next(batches)
    assert [one["__CURSOR"] for one in got] == [f"c{number}" for number in range(300)]
    asked = root.text("/asked")
    assert "--priority=warning" in asked
    assert "--after-cursor=c9" in asked
    assert "--boot" not in asked


def test_few_entries_do_not_wait_for_long(root):
    journalctl(root, 2)
    with Journal(root, "info", "") as journal:
        assert len(next(journal.batches())) == 2
    assert "--boot" in root.text("/asked")


def test_journalctl_that_ends_is_an_error(root):
    program(root, places.JOURNALCTL, "exit 3")
    with Journal(root, "info", "") as journal, pytest.raises(OSError, match="status 3"):
        next(journal.batches())


def test_datagrams_arrive(root):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        syslog = {"host": "127.0.0.1", "port": server.getsockname()[1], "protocol": "udp"}
        destination = destinations(root, {"syslog": syslog, "otlp": None})["syslog"]
        destination.send([entry(1), entry(2)])
        assert [server.recv(9000).decode().rpartition("- ")[2] for _ in range(2)] == ["line 1", "line 2"]


def test_stream_goes_on_after_the_server_has_closed_it(root):
    server = Server()
    server.serve(2, reads=1)
    syslog = {"host": "127.0.0.1", "port": server.port, "protocol": "tcp"}
    destination = destinations(root, {"syslog": syslog, "otlp": None})["syslog"]
    destination.send([entry(1), entry(2)])
    server.arrived.acquire(timeout=10)
    while not _closed(destination):
        pass
    destination.send([entry(3)])
    server.arrived.acquire(timeout=10)
    assert sent(b"".join(server.received)) == ["line 1", "line 2", "line 3"]


def _closed(destination: Any) -> bool:
    from pinwheel.node.logs.syslog import _is_closed

    return destination._channel is None or _is_closed(destination._channel)


def test_stream_under_tls_trusts_the_authorities_of_the_settings(root, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(context)
    server.serve(1)
    put(root, places.AUTHORITIES, Path(ssl.get_default_verify_paths().cafile or "").read_bytes())
    put(root, f"{places.TRUSTED}test.pem", certificate.read_bytes())
    syslog = {"host": "localhost", "port": server.port, "protocol": "tls"}
    destination = destinations(root, {"syslog": syslog, "otlp": None})["syslog"]
    destination.send([entry(1)])
    destination.send([entry(2)])
    for _ in range(2):
        server.arrived.acquire(timeout=10)
    assert sent(b"".join(server.received)) == ["line 1", "line 2"]


def test_stream_under_tls_refuses_a_stranger(root, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(context)
    thread = threading.Thread(target=_one_failed_handshake, args=(server,), daemon=True)
    thread.start()
    put(root, places.AUTHORITIES, Path(ssl.get_default_verify_paths().cafile or "").read_bytes())
    syslog = {"host": "localhost", "port": server.port, "protocol": "tls"}
    with pytest.raises(OSError, match="certificate verify failed"):
        destinations(root, {"syslog": syslog, "otlp": None})["syslog"].send([entry(1)])
    thread.join(10)


def _one_failed_handshake(server: Server) -> None:
    assert server.context
    channel, _ = server.listener.accept()
    with pytest.raises(OSError, match="unknown ca"):
        server.context.wrap_socket(channel, server_side=True)


class CollectorHandler(http.server.BaseHTTPRequestHandler):
    answers: list[int]
    requests: list[tuple[str, dict[str, str], Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.answers.pop(0))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def collector():
    handler = type("Handler", (CollectorHandler,), {"answers": [], "requests": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}/v1/logs"
        server.shutdown()


def test_collector_gets_its_headers_and_is_tried_again_while_it_is_busy(tmp_path, collector):
    handler, url = collector
    handler.answers[:] = [503, 429, 200]
    said: list[str] = []
    destination = Collector(url, {"api-key": "s3cret"})
    forward(iter([[entry(1), entry(2)]]), destination, tmp_path / "cursor", said.append, QUICK)
    assert [path for path, _, _ in handler.requests] == ["/v1/logs"] * 3
    assert handler.requests[0][1]["api-key"] == "s3cret"
    assert len(handler.requests[2][2]["resourceLogs"][0]["scopeLogs"][0]["logRecords"]) == 2
    assert said == ["cannot send, and go on trying: the collector answers 503", "sending again"]
    assert (tmp_path / "cursor").read_text() == "c2"


def test_what_a_collector_never_takes_is_left_behind(tmp_path, collector):
    handler, url = collector
    handler.answers[:] = [400, 200]
    said: list[str] = []
    forward(iter([[entry(1)], [entry(2)]]), Collector(url, {}), tmp_path / "cursor", said.append, QUICK)
    assert said == ["the collector answers 400: 1 entries are not sent"]
    assert (tmp_path / "cursor").read_text() == "c2"
    handler.answers[:] = [401]
    with pytest.raises(RefusedError):
        Collector(url, {}).send([entry(1)])


def test_place_in_the_journal_stays_until_the_server_is_there(tmp_path):
    server = Server()
    port = server.port
    server.listener.close()
    cursor = tmp_path / "cursor"
    said: list[str] = []
    arguments = (iter([[entry(1)]]), Stream("127.0.0.1", port), cursor, said.append, QUICK)
    thread = threading.Thread(target=forward, args=arguments)
    thread.start()
    while not said:
        pass
    assert not cursor.exists()
    server.listener = socket.create_server(("127.0.0.1", port))
    server.serve(1)
    thread.join(10)
    assert cursor.read_text() == "c1"
    assert said[-1] == "sending again"
