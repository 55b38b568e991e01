# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The certificates of one machine: CA, server and client of its Docker API, CA and client of its settings API.

The CAs' private keys are dropped once they have signed: nobody can make another client for this machine, not even by
stealing its directory, which holds the clients that there are. The settings API makes its server's certificate itself.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pinwheel.machine.record import LOOPBACK

LIFETIME = timedelta(days=3650)
CLOCK_TOLERANCE = timedelta(days=1)
"""A guest's clock may be behind the workstation's when the engine first looks at its certificate."""

CA, CLIENT_CERTIFICATE, CLIENT_KEY = "ca.pem", "cert.pem", "key.pem"
"""The names that a Docker client looks for in DOCKER_CERT_PATH."""
ADMIN = "pinwheel:admin"
"""The organization in the subject of a client that may do everything (docs/api.md)."""
SERVER_CERTIFICATE, SERVER_KEY = "server-cert.pem", "server-key.pem"


@dataclass(frozen=True)
class DockerCertificates:
    """All in PEM."""

    ca: bytes
    server_certificate: bytes
    server_key: bytes
    client_certificate: bytes
    client_key: bytes

    def write(self, directory: Path) -> None:
        """Write them into a new directory for its owner's eyes only, under the names that Docker's clients look for."""
        write_private_files(directory, self._files())

    @classmethod
    def read(cls, directory: Path) -> "DockerCertificates":
        """Read back what `write` wrote."""
        names = (CA, SERVER_CERTIFICATE, SERVER_KEY, CLIENT_CERTIFICATE, CLIENT_KEY)
        return cls(*((directory / name).read_bytes() for name in names))

    def _files(self) -> dict[str, bytes]:
        return {
            CA: self.ca,
            SERVER_CERTIFICATE: self.server_certificate,
            SERVER_KEY: self.server_key,
            CLIENT_CERTIFICATE: self.client_certificate,
            CLIENT_KEY: self.client_key,
        }


@dataclass(frozen=True)
class ApiCertificates:
    """What the settings API lets in, and the one client that it does; all in PEM."""

    ca: bytes
    client_certificate: bytes
    client_key: bytes

    def write(self, directory: Path) -> None:
        """Write them into a new directory for its owner's eyes only."""
        files = {CA: self.ca, CLIENT_CERTIFICATE: self.client_certificate, CLIENT_KEY: self.client_key}
        write_private_files(directory, files)

    @classmethod
    def read(cls, directory: Path) -> "ApiCertificates":
        """Read back what `write` wrote."""
        return cls(*((directory / name).read_bytes() for name in (CA, CLIENT_CERTIFICATE, CLIENT_KEY)))


def write_private_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Make a directory with these files, name -> content, for its owner's eyes only."""
    directory.mkdir(mode=0o700)
    for name, content in files.items():
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def make_api_certificates(machine: str) -> ApiCertificates:
    """Make the certificates by which this workstation administers a machine of this name."""
    ca_key, ca = _make_ca(f"Pinwheel API of machine {machine}")
    key, client = _sign("pinwheel run", ExtendedKeyUsageOID.CLIENT_AUTH, [], ca_key, ca, organization=ADMIN)
    return ApiCertificates(_pem(ca), _pem(client), _key_pem(key))


def make_certificates(machine: str) -> DockerCertificates:
    """Make the certificates for a machine of this name, which the workstation reaches at 127.0.0.1."""
    ca_key, ca = _make_ca(f"Pinwheel machine {machine}")
    server_names = [x509.IPAddress(IPv4Address(LOOPBACK)), x509.DNSName("localhost"), x509.DNSName(machine)]
    server_key, server = _sign(machine, ExtendedKeyUsageOID.SERVER_AUTH, server_names, ca_key, ca)
    client_key, client = _sign(f"client of {machine}", ExtendedKeyUsageOID.CLIENT_AUTH, [], ca_key, ca)
    return DockerCertificates(_pem(ca), _pem(server), _key_pem(server_key), _pem(client), _key_pem(client_key))


def _make_ca(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        _builder(_name(name), _name(name), key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def _sign(
    name: str,
    usage: ObjectIdentifier,
    names: list[x509.GeneralName],
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    organization: str = "",
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = (
        _builder(_name(name, organization), ca.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(issuer, critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return key, builder.sign(ca_key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + LIFETIME)
    )


def _name(common_name: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    # 64: X.520's upper bound
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
