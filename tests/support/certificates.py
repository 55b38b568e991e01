# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A certificate authority for tests of the remote API, and certificates of all kinds from it."""

import base64
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Authority:
    """A CA; its files are below one directory."""

    def __init__(self, directory: Path, name: str = "test CA") -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(self._name, self._key.public_key(), is_ca=True)
        self.file = directory / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def encoded(self) -> str:
        """The certificate as settings have it."""
        return base64.b64encode(self.file.read_bytes()).decode()

    def server(self, address: str = "127.0.0.1") -> tuple[Path, Path]:
        """Give certificate and key of a server."""
        return self._issue("server", [], ExtendedKeyUsageOID.SERVER_AUTH, address=address)

    def client(self, *organizations: str, name: str = "someone", days: int = 1, server: bool = False) -> ssl.SSLContext:
        """Give what a client needs that has a certificate of this CA."""
        context = self.anonymous()
        context.load_cert_chain(*self.issue_client(*organizations, name=name, days=days, server=server))
        return context

    def issue_client(
        self, *organizations: str, name: str = "someone", days: int = 1, server: bool = False
    ) -> tuple[Path, Path]:
        """Give a client's certificate and key; with `server`, it is for another use."""
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        return self._issue(name, list(organizations), usage, days=days)

    def anonymous(self) -> ssl.SSLContext:
        """Give what a client needs that has no certificate."""
        return ssl.create_default_context(cafile=self.file)

    def _issue(
        self, name: str, organizations: list[str], usage: x509.ObjectIdentifier, *, days: int = 1, address: str = ""
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organizations]
        subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), usage=usage, days=days, address=address)
        stem = f"{len(list(self.directory.iterdir()))}"
        files = self.directory / f"{stem}.pem", self.directory / f"{stem}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
        return files

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        is_ca: bool = False,
        usage: x509.ObjectIdentifier | None = None,
        days: int = 1,
        address: str = "",
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        own = self._key.public_key()
        builder = (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=2))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
            .add_extension(_key_usage(is_ca), critical=True)
        )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if address:
            name = x509.IPAddress(ipaddress.ip_address(address))
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _key_usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
