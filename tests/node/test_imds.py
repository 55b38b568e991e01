# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The metadata source against a server that speaks IMDSv2: tokens that end, refusals, faults, answers that drip."""

import gzip
import http.server
import secrets
import threading
import time
from collections.abc import Iterator

import pytest
from tests.support.node_root import put

from pinwheel.node.paths import DMI
from pinwheel.node.user_data.find import find_user_data, sources
from pinwheel.node.user_data.imds import ImdsSource, Limits, is_ec2
from pinwheel.node.user_data.source import SourceError
from pinwheel.settings.user_data import MAX_USER_DATA

QUICK = Limits(request=0.5, total=3.0, first_pause=0.02, longest_pause=0.1)


class Imds(http.server.ThreadingHTTPServer):
    """An instance metadata service, version 2."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.user_data: bytes | None = b"[settings]\nmotd = 'hello'\n"
        self.token_uses = 100
        self.faults: list[int] = []
        self.drip = 0.0
        self.tokens: dict[str, int] = {}
        self.requests: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Imds

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not self.server.drip:
            self.wfile.write(body)
            return
        for byte in body:
            time.sleep(self.server.drip)
            self.wfile.write(bytes([byte]))

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def do_PUT(self) -> None:
        self.server.requests.append(f"PUT {self.path}")
        if self.server.faults:
            return self.answer(self.server.faults.pop(0))
        if self.path != "/latest/api/token" or not self.headers["X-aws-ec2-metadata-token-ttl-seconds"].isdigit():
            return self.answer(400)
        token = secrets.token_urlsafe(40)
        self.server.tokens[token] = self.server.token_uses
        return self.answer(200, token.encode())

    def do_GET(self) -> None:
        self.server.requests.append(f"GET {self.path}")
        token = self.headers["X-aws-ec2-metadata-token"]
        if self.server.tokens.get(token, 0) < 1:
            self.server.token_uses = 100
            return self.answer(401)
        if self.server.user_data is None or self.path != "/latest/user-data":
            return self.answer(404)
        return self.answer(200, self.server.user_data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def imds() -> Iterator[Imds]:
    with Imds() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_user_data_is_fetched_with_a_token(imds):
    assert ImdsSource(imds.endpoint, QUICK).read() == imds.user_data
    assert imds.requests == ["PUT /latest/api/token", "GET /latest/user-data"]


def test_instance_without_user_data_has_none(imds):
    imds.user_data = None
    assert ImdsSource(imds.endpoint, QUICK).read() is None


def test_token_that_has_run_out_is_replaced(imds):
    imds.token_uses = 0
    assert ImdsSource(imds.endpoint, QUICK).read() == imds.user_data
    assert len(imds.tokens) == 2


def test_faults_that_pass_are_waited_out(imds):
    imds.faults = [500, 503, 429]
    assert ImdsSource(imds.endpoint, QUICK).read() == imds.user_data


def test_refusal_is_final(imds):
    imds.faults = [403] * 10
    with pytest.raises(SourceError, match="403"):
        ImdsSource(imds.endpoint, QUICK).read()
    assert len(imds.requests) == 1


def test_service_that_comes_late_is_waited_for(imds):
    endpoint = imds.endpoint
    port = imds.server_port
    imds.server_close()

    def start() -> None:
        time.sleep(0.4)
        http.server.HTTPServer.__init__(imds, ("127.0.0.1", port), Handler)

    thread = threading.Thread(target=start)
    thread.start()
    assert ImdsSource(endpoint, QUICK).read() == imds.user_data
    thread.join()


def test_service_that_never_answers_costs_the_limit_and_no_more(imds):
    endpoint = imds.endpoint
    imds.shutdown()
    imds.server_close()
    started = time.monotonic()
    with pytest.raises(SourceError, match="does not answer"):
        ImdsSource(endpoint, QUICK._replace(total=0.5)).read()
    assert time.monotonic() - started < 1.5


def test_answer_that_drips_cannot_hold_the_boot(imds):
    imds.drip = 0.1
    started = time.monotonic()
    with pytest.raises(SourceError, match="too long"):
        ImdsSource(imds.endpoint, QUICK._replace(total=1.0)).read()
    assert time.monotonic() - started < 3.0


def test_huge_answer_is_not_taken_whole(imds):
    imds.user_data = b"#" * (20 * MAX_USER_DATA)
    document = ImdsSource(imds.endpoint, QUICK).read()
    assert document is not None
    assert MAX_USER_DATA < len(document) < 2 * MAX_USER_DATA


def test_compressed_user_data_is_unpacked(imds):
    plain = imds.user_data
    imds.user_data = gzip.compress(plain)
    found = find_user_data([ImdsSource(imds.endpoint, QUICK)])
    assert (found.source, found.text, found.problems) == ("imds", plain, ())


def test_endpoint_that_is_none_is_reported():
    with pytest.raises(SourceError, match="not an endpoint"):
        ImdsSource("http://a:b:c", QUICK).read()


def test_credential_names_the_endpoint(root, tmp_path, imds):
    (tmp_path / "pinwheel.imds-endpoint").write_text(imds.endpoint + "\n")
    found = find_user_data(sources(root, {"CREDENTIALS_DIRECTORY": str(tmp_path)}))
    assert (found.source, found.text) == ("imds", imds.user_data)


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [("sys_vendor", "Amazon EC2\n", True), ("bios_version", "4.11.amazon\n", True), ("sys_vendor", "QEMU\n", False)],
)
def test_firmware_says_whether_this_is_ec2(root, file, text, expected):
    assert not is_ec2(root)
    put(root, f"{DMI}/{file}", text)
    assert is_ec2(root) is expected
