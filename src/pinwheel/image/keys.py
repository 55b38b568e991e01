# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The key that signs what the firmware starts: made on first use, kept in the data directory, for its owner only.

One self-signed certificate serves as platform key, key exchange key and signature database of the virtual machines'
firmware (UEFI specification, section 32). A fleet brings its own: PINWHEEL_KEYS names a directory with the same files.
"""

import datetime as dt
import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pinwheel.errors import UsageFault
from pinwheel.paths import data_directory

KEY_BITS = 2048
"""What every firmware supports; many reject more."""
VALID_DAYS = 3650
"""Firmware does not look at the dates; tools do."""
ENVIRONMENT_VARIABLE = "PINWHEEL_KEYS"
_OWN_KEYS = "correct it; or unset it to sign with a key of this user's own"


@dataclass(frozen=True)
class SecureBootKeys:
    """Files of the Secure Boot key: PEM private key (mode 0600), PEM certificate, GUID that owns it in variables."""

    private_key: Path
    certificate: Path
    owner_guid: str


def secure_boot_keys(directory: Path | None = None) -> SecureBootKeys:
    """Give the signing key; make it when there is none yet.

    Raises:
        UsageFault: the directory has some of the files, not all; others may read the private key; or the directory
            that the environment names is not there.
    """
    asked = os.environ.get(ENVIRONMENT_VARIABLE)
    if directory is None and asked:
        directory = Path(asked)
        if not directory.is_dir():
            raise UsageFault(f"{ENVIRONMENT_VARIABLE} names {directory}, which is no directory", _OWN_KEYS)
    directory = directory or data_directory() / "keys/secure-boot"
    if not directory.exists():
        _make(directory)
    key, certificate, owner = directory / "signing.key", directory / "signing.crt", directory / "owner-guid"
    missing = [file.name for file in (key, certificate, owner) if not file.is_file()]
    if missing:
        hint = "restore it; or remove the directory to make new keys"
        raise UsageFault(f"{directory} lacks {', '.join(missing)}", hint)
    if key.stat().st_mode & 0o077:
        raise UsageFault(f"others than its owner may read {key}", f"chmod 600 {key}")
    return SecureBootKeys(key, certificate, owner.read_text().strip())


def _make(directory: Path) -> None:
    """Make key and certificate; the directory appears whole or not at all."""
    directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".new-") as workspace:
        fresh = Path(workspace, "keys")
        fresh.mkdir(mode=0o700)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (fresh / "signing.key").touch(mode=0o600, exist_ok=False)
        (fresh / "signing.key").write_bytes(pem)
        (fresh / "signing.crt").write_bytes(_certificate(key).public_bytes(serialization.Encoding.PEM))
        (fresh / "owner-guid").write_text(f"{uuid.uuid4()}\n")
        try:
            fresh.rename(directory)
        except OSError:
            if not directory.is_dir():  # else another build was faster, and its key is the one
                raise


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pinwheel Secure Boot")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
