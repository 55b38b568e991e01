# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The node's own certificate, made by the real openssl, and checked by a real TLS client."""

import base64
import hashlib
import socket
import ssl
import threading

import pytest
from cryptography import x509
from tests.support.node_root import workstation_openssl

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths
from pinwheel.node.services.remote_api import activate
from pinwheel.settings.access import Api, RemoteApi
from pinwheel.settings.tree import Settings

ENABLED = Settings(api=Api(RemoteApi(enabled=True)))


@pytest.fixture
def node(root: Paths) -> Paths:
    """Give a node with the openssl of this machine."""
    workstation_openssl(root)
    return root


def certificate(node: Paths) -> x509.Certificate:
    return x509.load_pem_x509_certificate(node.at(places.API_CERTIFICATE).read_bytes())


def test_certificate_is_made_once_and_its_key_is_roots_alone(node):
    assert activate(node, Settings(), ENABLED) == []
    first = certificate(node)
    assert node.at(places.API_KEY).stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in node.at(places.API_KEY).parent.iterdir()) == ["cert.pem", "key.pem"]
    assert activate(node, Settings(), ENABLED) == []
    assert certificate(node) == first


def test_fingerprint_goes_when_nothing_listens_and_the_certificate_stays(node):
    activate(node, Settings(), ENABLED)
    first = certificate(node)
    assert activate(node, ENABLED, Settings()) == []
    assert not node.at(places.API_FINGERPRINT).exists()
    activate(node, Settings(), ENABLED)
    assert certificate(node) == first


def test_server_can_show_it_to_a_client_that_compares_the_fingerprint(node):
    activate(node, Settings(), ENABLED)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(node.at(places.API_CERTIFICATE), node.at(places.API_KEY))
    client = ssl.create_default_context(cafile=str(node.at(places.API_CERTIFICATE)))
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=lambda: server.wrap_socket(theirs, server_side=True))
    thread.start()
    with client.wrap_socket(ours, server_hostname="pinwheel") as channel:
        shown = channel.getpeercert(binary_form=True) or b""
    thread.join()
    assert f"sha256:{hashlib.sha256(shown).hexdigest()}" == node.text(places.API_FINGERPRINT)


def test_node_that_cannot_make_one_says_so(root):
    (problem,) = activate(root, Settings(), ENABLED)
    assert (problem.code, problem.path) == ("no-certificate", "settings.api.remote")
    assert not root.at(places.API_CERTIFICATE).exists()


def test_fingerprint_is_of_the_certificate_as_it_is_sent(node):
    activate(node, Settings(), ENABLED)
    body = node.at(places.API_CERTIFICATE).read_text().split("-----")[2]
    assert node.text(places.API_FINGERPRINT).endswith(hashlib.sha256(base64.b64decode(body)).hexdigest())
