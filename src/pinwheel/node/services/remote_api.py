# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The node's API on the network: its port, whom it lets in, and the certificate by which clients know the node.

The certificate is made on the node, signed by itself, and stays on the data partition: clients compare it as a whole by
its fingerprint, which is on the console.
"""

import base64
import hashlib
import re
import time
from contextlib import suppress

from pinwheel.node.files import RenderedFile, write_atomically
from pinwheel.node.paths import (
    API_CERTIFICATE,
    API_CLIENTS,
    API_FINGERPRINT,
    API_KEY,
    API_SOCKET_SETTINGS,
    OPENSSL,
    Paths,
)
from pinwheel.node.programs import run
from pinwheel.node.serialize import unit_file
from pinwheel.node.services.service import Files
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import pem_text

SECONDS = 60.0
"""How long making a key may take: milliseconds on hardware."""
VALID_DAYS = 3650
_MADE_AFTER = 1_700_000_000
"""A clock before this time of Unix was never set: a certificate would be valid from the future on once it is."""
_NEVER_SET_DAYS = 36500
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def render(settings: Settings) -> Files:
    """Give the clients' authorities, and the port as a drop-in of the socket's unit."""
    remote = settings.api.remote
    if not (remote.enabled and remote.client_ca):
        return {}
    port = unit_file([("Socket", [("ListenStream", ""), ("ListenStream", str(remote.port))])])
    return {API_CLIENTS: RenderedFile(pem_text(remote.client_ca)), API_SOCKET_SETTINGS: RenderedFile(port)}


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:  # noqa: ARG001 - what is there, counts
    """Make the node's certificate when there is none, and have its fingerprint shown while the API listens."""
    if not new.api.remote.enabled:
        with suppress(FileNotFoundError):
            paths.at(API_FINGERPRINT).unlink()
        return []
    try:
        if not (paths.at(API_CERTIFICATE).exists() and paths.at(API_KEY).exists()):
            _make(paths)
        shown = fingerprint(paths.at(API_CERTIFICATE).read_bytes())
        write_atomically(paths.at(API_FINGERPRINT), f"{shown}\n".encode())
    except (OSError, ValueError) as error:
        words = f"the node's certificate cannot be made: {error}"
        return [Problem("no-certificate", "settings.api.remote", 0, words, "the API does not listen on the network")]
    return []


def fingerprint(certificate: bytes) -> str:
    """Give the SHA-256 of a certificate in PEM, as `sha256:` and hexadecimal digits; raises ValueError for another."""
    match = _PEM.search(certificate)
    if match is None:
        raise ValueError("no certificate in PEM")
    return f"sha256:{hashlib.sha256(base64.b64decode(match[1])).hexdigest()}"


def _make(paths: Paths) -> None:
    """Make key and certificate; the certificate last, so that both are there when it is.

    Raises:
        OSError: openssl could not, or they could not be written.
    """
    directory = paths.at(API_KEY).parent
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, certificate = directory / ".key.new", directory / ".cert.new"
    try:
        write_atomically(key, b"", 0o600)  # openssl keeps the mode of a file that is there
        outcome = run(paths.at(OPENSSL), *_request(str(key), str(certificate)), seconds=SECONDS)
        if outcome.status:
            raise OSError(" ".join(outcome.errors.split())[-300:])
        write_atomically(paths.at(API_KEY), key.read_bytes(), 0o600)
        write_atomically(paths.at(API_CERTIFICATE), certificate.read_bytes())
    finally:
        for file in (key, certificate):
            file.unlink(missing_ok=True)


def _request(key: str, certificate: str) -> tuple[str, ...]:
    """Give openssl-req(1)'s arguments. Nothing in it says which node this is: a name or address may change."""
    days = VALID_DAYS if time.time() > _MADE_AFTER else _NEVER_SET_DAYS
    return (
        *("req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"),
        *("-days", str(days), "-subj", "/CN=pinwheel", "-addext", "subjectAltName=DNS:pinwheel"),
        *("-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"),
        *("-keyout", key, "-out", certificate),
    )
