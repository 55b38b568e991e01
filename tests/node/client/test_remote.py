# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The client over mutual TLS, against the real service: whom it trusts, who it is."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
from tests.node.api.test_remote import ADMIN, READER, authority, remote
from tests.node.client.conftest import call
from tests.support.api_service import Service
from tests.support.certificates import Authority

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.http import Client
from pinwheel.api.client.transport import TlsTransport, fingerprint

__all__ = ["authority", "remote"]


def files(authority: Authority, role: str) -> tuple[Path, Path]:
    authority.client(role)
    newest = max(authority.directory.glob("*.key"), key=lambda file: int(file.stem))
    return newest.with_suffix(".pem"), newest


def certificate(port: int) -> bytes:
    """Give the server's, in DER."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))


@pytest.fixture
def pinned(remote: Service, authority: Authority, tmp_path: Path) -> TlsTransport:
    port = int(remote.path.name)
    own = (authority.directory / "1.pem").read_text()  # the server's is the first that the authority issued
    pin = fingerprint(ssl.PEM_cert_to_DER_cert(own))
    return TlsTransport("127.0.0.1", port, *files(authority, ADMIN), fingerprint=pin)


def test_a_node_is_known_by_its_fingerprint(pinned: TlsTransport, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(capfd, pinned, "set", "motd=remote").code == 0
    assert '"motd": "remote"' in call(capfd, pinned, "get", "motd").out


def test_a_node_is_known_by_its_authority(pinned: TlsTransport, authority: Authority) -> None:
    known = pinned._replace(fingerprint="", authority=authority.file)
    assert "motd" in Client(known).get("/settings")


def test_another_certificate_is_refused_before_anything_is_said(
    pinned: TlsTransport, capfd: pytest.CaptureFixture[str]
) -> None:
    done = call(capfd, pinned._replace(fingerprint="sha256:" + "00" * 32), "set", "motd=x")
    assert done.code == 1
    assert f"has another certificate than expected: {pinned.fingerprint}" in done.err


def test_an_authority_that_did_not_sign_it_is_refused(pinned: TlsTransport, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(ApiFailed, match="certificate verify failed"):
        Client(pinned._replace(fingerprint="", authority=other.file)).get("/settings")


def test_a_role_that_is_not_enough_says_so(
    pinned: TlsTransport, authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    certificate_file, key = files(authority, READER)
    reader = pinned._replace(certificate=certificate_file, key=key)
    assert call(capfd, reader, "get", "motd").code == 0
    done = call(capfd, reader, "set", "motd=x")
    assert done.code == 2
    assert "role" in done.err


def test_a_client_that_the_node_does_not_know_is_told_so(pinned: TlsTransport, tmp_path: Path) -> None:
    certificate_file, key = files(Authority(tmp_path / "stranger"), ADMIN)
    with pytest.raises(ApiFailed) as raised:
        Client(pinned._replace(certificate=certificate_file, key=key)).get("/settings")
    assert raised.value.status == 0


def test_files_that_are_no_certificates_are_named_as_the_fault(pinned: TlsTransport, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(ApiFailed, match="cannot use the certificates"):
        Client(pinned._replace(certificate=empty)).get("/settings")


def test_the_socket_of_a_node_is_for_the_node_itself(pinned: TlsTransport, capfd: pytest.CaptureFixture[str]) -> None:
    done = call(capfd, pinned, "-s", "/run/api.sock", "get")
    assert done.code == 2
    assert "--socket-path is for the client on a node" in done.err


def test_nobody_listening_is_said_with_what_to_look_at(pinned: TlsTransport) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = pinned._replace(port=free.getsockname()[1])
        with pytest.raises(ApiFailed) as raised:
            Client(nowhere).get("/settings")
    assert "settings.api.remote.enabled" in raised.value.hint


def test_a_server_that_is_no_node_is_an_error_and_no_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from pinwheel.api.client.transport import UnixTransport

    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def babble() -> None:
            for _ in range(2):
                channel, _ = listener.accept()
                with channel:
                    channel.recv(100)
                    channel.sendall(b"SSH-2.0-nonsense\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        done = call(capfd, UnixTransport(str(path)), "get")
        assert done.code == 1
        assert "did not answer as a node does" in done.err
        assert call(capfd, UnixTransport(str(path)), "exec", "-T", "a", "b").code == 1
        thread.join()
