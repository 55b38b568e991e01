# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where to ask, how, and with whose name."""

import pytest

from pinwheel.node.containers.access import Access, Endpoint, Login, Proxy


def test_mirrors_come_before_the_registry_itself():
    access = Access(mirrors={"docker.io": ["https://mirror.example.com/", "http://10.0.0.5:5000"]})
    assert access.endpoints("docker.io") == [
        Endpoint("https://mirror.example.com", "mirror.example.com", is_mirror=True),
        Endpoint("http://10.0.0.5:5000", "10.0.0.5:5000", is_mirror=True),
        Endpoint("https://registry-1.docker.io", "docker.io"),
    ]
    assert access.endpoints("quay.io") == [Endpoint("https://quay.io", "quay.io")]


def test_plain_http_is_for_insecure_registries_only_and_comes_last():
    access = Access(insecure=["10.0.2.0/24", "lab.example.com:5000"])
    for registry in ("10.0.2.2:5000", "lab.example.com:5000", "127.0.0.1:5000", "localhost:5000"):
        assert [one.url for one in access.endpoints(registry)] == [f"https://{registry}", f"http://{registry}"]
    for registry in ("10.0.3.2:5000", "lab.example.com", "lab.example.com:5001"):
        assert [one.url for one in access.endpoints(registry)] == [f"https://{registry}"]


def test_credentials_are_those_of_the_registry():
    access = Access(logins={"example.com": ["me", "secret", ""], "index.docker.io": ["hub", "x", ""]})
    assert access.login("example.com") == Login("me", "secret")
    assert access.login("docker.io") == Login("hub", "x")
    assert access.login("example.com:5000") is None


def test_basic_credentials_are_written_as_the_rfc_says():
    assert Login("Aladdin", "open sesame").basic == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_the_proxy_is_that_of_the_scheme():
    access = Access(http_proxy="http://plain:3128", https_proxy="user%40x:p%3Aw@secure.example.com:8080")
    assert access.proxy("http", "example.com") == Proxy("plain", 3128)
    assert access.proxy("https", "example.com") == Proxy("secure.example.com", 8080, Login("user@x", "p:w").basic)
    assert Access().proxy("https", "example.com") is None


@pytest.mark.parametrize(("entry", "direct"), [
    ("example.com", ["example.com", "a.example.com:443"]),
    (".example.com", ["a.example.com"]),
    ("*.example.com", ["a.example.com"]),
    ("10.0.0.0/8", ["10.1.2.3:5000"]),
    ("2001:db8::/32", ["[2001:db8::5]:5000"]),
    ("example.com:5000", ["example.com:5000"]),
    ("*", ["example.com", "10.1.1.1"]),
])  # fmt: skip
def test_exceptions_from_the_proxy_are_read_as_engines_do(entry, direct):
    access = Access(https_proxy="proxy:3128", no_proxy=[entry])
    assert all(access.proxy("https", authority) is None for authority in direct)
    if entry != "*":
        others = ("notexample.com", "11.1.2.3", "[2001:db9::1]")
        assert all(access.proxy("https", authority) is not None for authority in others)


def test_the_node_itself_needs_no_proxy():
    access = Access(https_proxy="proxy:3128")
    assert [access.proxy("https", host) for host in ("localhost:5000", "127.0.0.1", "[::1]:80")] == [None, None, None]


def test_what_is_written_down_is_read_again():
    access = Access({"docker.io": ["https://m"]}, {"r": ["u", "p", ""]}, "a:1", "b:2", ["c"], ["d"])
    assert Access.from_json(access.to_json()) == access
