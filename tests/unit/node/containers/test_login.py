# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What registries ask for."""

import pytest

from pinwheel.node.containers.access import Access, Login
from pinwheel.node.containers.http import Http
from pinwheel.node.containers.login import Challenge, DeniedError, authorization, read_challenge


def no_context():
    raise AssertionError("nobody is asked")


HTTP = Http(Access(), no_context)


@pytest.mark.parametrize(("header", "challenge"), [
    ('Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull"',
     Challenge("bearer", {"realm": "https://auth.example.com/token", "service": "registry",
                          "scope": "repository:a/b:pull"})),
    ('Basic realm="a \\"b\\""', Challenge("basic", {"realm": 'a "b"'})),
    ("BEARER Realm=https://x , service = y", Challenge("bearer", {"realm": "https://x", "service": "y"})),
    ("", Challenge("", {})),
])  # fmt: skip
def test_challenges_are_read(header, challenge):
    assert read_challenge(header) == challenge


def test_basic_is_answered_with_the_name_and_password():
    assert authorization(HTTP, Challenge("basic", {}), Login("a", "b"), "s", insecure=False) == Login("a", "b").basic


@pytest.mark.parametrize(("challenge", "words"), [
    (Challenge("basic", {}), "the settings have none"),
    (Challenge("negotiate", {}), "something unknown"),
    (Challenge("bearer", {}), "something unknown"),
    (Challenge("bearer", {"realm": "http://auth.example.com/token"}), "not at a safe address"),
    (Challenge("bearer", {"realm": "file:///etc/passwd"}), "not at a safe address"),
])  # fmt: skip
def test_what_cannot_be_answered_safely_is_refused(challenge, words):
    with pytest.raises(DeniedError, match=words):
        authorization(HTTP, challenge, None, "s", insecure=False)
