# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The certificates of a machine's Docker API, judged by TLS itself."""

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pinwheel.machine.certificates import (
    ApiCertificates,
    DockerCertificates,
    make_api_certificates,
    make_certificates,
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    make_certificates("web").write(tmp_path / "docker")
    return tmp_path / "docker"


def shake_hands(server: Path, client: Path | None, name: str) -> bytes:
    """Let a client talk to a server over TLS as the engine is set up; give what the client received."""
    behind = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=server / "ca.pem")
    behind.verify_mode = ssl.CERT_REQUIRED
    behind.load_cert_chain(server / "server-cert.pem", server / "server-key.pem")
    front = ssl.create_default_context(cafile=server / "ca.pem")
    if client:
        front.load_cert_chain(client / "cert.pem", client / "key.pem")
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with behind.wrap_socket(left, server_side=True) as connection:
                connection.sendall(b"engine")
        except ssl.SSLError:
            left.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with front.wrap_socket(right, server_hostname=name) as connection:
            return connection.recv(100)
    finally:
        right.close()
        thread.join()


def is_refused(server: Path, client: Path | None) -> bool:
    """Tell whether the server turns the client away: by an alert or by closing the connection, as TLS has it."""
    try:
        return shake_hands(server, client, "web") == b""
    except OSError:
        return True


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "web"])
def test_client_of_the_machine_reaches_its_engine_under_each_of_its_names(directory, name):
    assert shake_hands(directory, directory, name) == b"engine"


def test_client_under_another_name_refuses_the_server(directory):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(directory, directory, "example.com")


def test_client_without_certificate_is_refused(directory):
    assert is_refused(directory, None)


def test_client_of_another_machine_is_refused(directory, tmp_path):
    make_certificates("web").write(tmp_path / "other")
    assert is_refused(directory, tmp_path / "other")


def test_server_certificate_cannot_be_used_as_a_client(directory, tmp_path):
    thief = tmp_path / "thief"
    thief.mkdir()
    (thief / "cert.pem").write_bytes((directory / "server-cert.pem").read_bytes())
    (thief / "key.pem").write_bytes((directory / "server-key.pem").read_bytes())
    assert is_refused(directory, thief)


def test_all_files_are_for_their_owner_only(directory):
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}


def test_key_of_the_ca_is_kept_nowhere(directory):
    assert sorted(file.name for file in directory.iterdir()) == [
        "ca.pem", "cert.pem", "key.pem", "server-cert.pem", "server-key.pem",
    ]  # fmt: skip
    ca = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_what_was_written_is_read_back(directory):
    certificates = DockerCertificates.read(directory)
    assert certificates.client_key == (directory / "key.pem").read_bytes()
    assert certificates.server_certificate == (directory / "server-cert.pem").read_bytes()


def test_api_client_is_an_admin_and_a_client_only(tmp_path):
    make_api_certificates("web").write(tmp_path / "api")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "api").iterdir()} == {0o600}
    certificates = ApiCertificates.read(tmp_path / "api")
    client = x509.load_pem_x509_certificate(certificates.client_certificate)
    assert [one.value for one in client.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["pinwheel:admin"]
    usage = client.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    client.verify_directly_issued_by(x509.load_pem_x509_certificate(certificates.ca))
