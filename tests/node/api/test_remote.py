# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API over TCP: mutual TLS, and roles from certificates."""

import http.client
import json
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.node.actuator.conftest import Actuator
from tests.support.api_service import LIMITS, Answer, Service, exchange, running
from tests.support.certificates import Authority

from pinwheel.node.api.main import CERTIFICATE, CLIENTS, KEY, tls_context

ADMIN, OPERATOR, READER = "pinwheel:admin", "pinwheel:operator", "pinwheel:reader"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def remote(actuator: Actuator, authority: Authority, tmp_path: Path) -> Iterator[Service]:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    certificate, key = authority.server()
    for file, name in ((certificate, CERTIFICATE), (key, KEY), (authority.file, CLIENTS)):
        shutil.copy(file, credentials / name)
    limits = LIMITS._replace(handshake_seconds=1.0)
    with running(actuator.paths, limits, tls_context(credentials), actuator.socket_path) as service:
        yield service


def ask(remote: Service, context: ssl.SSLContext, method: str, target: str, body: object = None) -> Answer:
    connection = http.client.HTTPSConnection("127.0.0.1", int(remote.path.name), timeout=10, context=context)
    try:
        return exchange(connection, method, target, body, {})
    finally:
        connection.close()


def test_a_role_allows_what_is_its_own_and_what_is_below(remote: Service, authority: Authority) -> None:
    requests = [("GET", "/settings"), ("POST", "/tx/apply"), ("PATCH", "/settings")]
    expected = {READER: [200, 403, 403], OPERATOR: [200, 204, 403], ADMIN: [200, 204, 204]}
    for role, statuses in expected.items():
        context = authority.client(role)
        assert [ask(remote, context, *request, {"motd": "x"} if request[0] == "PATCH" else None).status
                for request in requests] == statuses  # fmt: skip


@pytest.mark.parametrize("organizations", [[], ["ACME"], [ADMIN, READER], ["pinwheel:root"]])
def test_a_certificate_without_a_clear_role_allows_nothing(
    remote: Service, authority: Authority, organizations: list[str]
) -> None:
    answer = ask(remote, authority.client(*organizations), "GET", "/settings")
    assert (answer.status, answer.codes) == (403, ["role"])


def test_who_changed_what_is_recorded(remote: Service, authority: Authority) -> None:
    answer = ask(remote, authority.client(ADMIN, name="alice"), "PATCH", "/settings?commit=true", {"motd": "x"})
    assert answer.status == 200
    author = ask(remote, authority.client(READER), "GET", "/settings/generations/1").json["author"]
    assert (author["kind"], author["name"], len(author["fingerprint"])) == ("certificate", "alice", 64)


@pytest.mark.parametrize("kind", ["nothing", "other authority", "expired", "server's certificate"])
def test_a_client_that_is_not_let_in_gets_no_answer(
    remote: Service, authority: Authority, tmp_path: Path, kind: str
) -> None:
    if kind == "nothing":
        context = authority.anonymous()
    elif kind == "other authority":
        other = Authority(tmp_path / "other", name="test CA")
        context = other.client(ADMIN)
        context.load_verify_locations(authority.file)
    else:
        context = authority.client(ADMIN, days=-1 if kind == "expired" else 1, server=kind.startswith("server"))
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask(remote, context, "GET", "/settings")
    assert ask(remote, authority.client(READER), "GET", "/settings").status == 200


def test_older_tls_is_not_spoken(remote: Service, authority: Authority) -> None:
    context = authority.client(READER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(remote, context, "GET", "/settings")


def test_without_tls_there_is_no_answer(remote: Service) -> None:
    with socket.create_connection(("127.0.0.1", int(remote.path.name)), timeout=10) as channel:
        channel.sendall(b"GET /settings HTTP/1.1\r\nhost: x\r\n\r\n")
        with suppress(ConnectionError):
            assert b"motd" not in channel.recv(4096)


def test_those_who_never_finish_their_handshake_are_counted_and_left(remote: Service, authority: Authority) -> None:
    slow = [socket.create_connection(("127.0.0.1", int(remote.path.name)), timeout=10) for _ in range(60)]
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask(remote, authority.client(READER), "GET", "/settings")
    time.sleep(1.5)
    assert ask(remote, authority.client(READER), "GET", "/settings").status == 200
    for channel in slow:
        channel.close()


def test_requests_follow_each_other_on_one_connection(remote: Service, authority: Authority) -> None:
    context = authority.client(READER)
    connection = http.client.HTTPSConnection("127.0.0.1", int(remote.path.name), timeout=10, context=context)
    for _ in range(5):
        connection.request("GET", "/settings?keys=motd")
        assert json.loads(connection.getresponse().read())["motd"]
    connection.close()
