# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A client of a node's API over the network: mutual TLS, and the node known by its certificate's fingerprint."""

import base64
import hashlib
import http.client
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

TIMEOUT = 180.0
"""Seconds for one answer: a change may have to wait until the engine is well again."""


class Authority:
    """An authority of certificates, for clients and for servers of tests."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def encoded(self) -> str:
        """The certificate as settings have it."""
        return base64.b64encode(self._certificate.public_bytes(Encoding.PEM)).decode()

    def sign(self, file: Path, attributes: dict[x509.ObjectIdentifier, str], *names: x509.GeneralName) -> Path:
        """Write a certificate and its key into one file, and give it back."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes.items()])
        builder = (
            _builder(subject, self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        return file


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )


class RemoteNode:
    """A node's API, as a client with a certificate of the role `admin` sees it."""

    def __init__(self, port: int, authority: Authority, directory: Path) -> None:
        self._port = port
        attributes = {NameOID.COMMON_NAME: "test", NameOID.ORGANIZATION_NAME: "pinwheel:admin"}
        self._certificate = authority.sign(directory / "admin.pem", attributes)
        self.fingerprint = ""
        """Of the node's certificate; empty until it is known."""

    def knowing(self, fingerprint: str) -> Self:
        """Accept this node alone from now on."""
        self.fingerprint = fingerprint
        return self

    def ask(self, method: str, target: str, body: Any = None) -> Any:
        """Send a request that must go well, and give the answer's JSON."""
        status, answer = self.attempt(method, target, body)
        assert status < 300, f"{method} {target}: {status} {answer}"
        return answer

    def attempt(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Send a request, and give the answer's status and JSON."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # it is compared as a whole
        context.load_cert_chain(self._certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=TIMEOUT, context=context)
        try:
            connection.connect()
            shown = connection.sock.getpeercert(binary_form=True) or b""
            assert f"sha256:{hashlib.sha256(shown).hexdigest()}" == self.fingerprint, "another node"
            content = None if body is None else json.dumps(body)
            connection.request(method, target, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def set(self, **settings: Any) -> Any:
        """Change settings, and give what was done."""
        return self.ask("PATCH", "/settings?commit=true", {"settings": settings})

    def unset(self, *keys: str) -> Any:
        """Unset settings, and give what was done."""
        return self.ask("DELETE", f"/settings?commit=true&keys={','.join(keys)}")
