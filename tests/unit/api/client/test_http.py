# SPDX-License-Identifier: Apache-2.0 OR MIT
import pytest

from pinwheel.api.client.http import target_of
from pinwheel.api.client.transport import TlsTransport, UnixTransport, fingerprint


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/settings", {}, "/settings"),
        ("settings", {"keys": ["a.b", "c"]}, "/settings?keys=a.b,c"),
        ("/a?b=c", {"d": True, "e": False, "f": None, "g": "", "h": 0}, "/a?b=c&d=true&h=0"),
        ("/x", {"q": "a b&c=\n"}, "/x?q=a+b%26c%3D%0A"),
        ("/with space\r\nX: y", {}, "/with%20space%0D%0AX:%20y"),
        ("/%2F", {}, "/%2F"),
    ],
)
def test_a_target_has_path_and_parameters_and_no_line_of_its_own(
    path: str, query: dict[str, object], target: str
) -> None:
    assert target_of(path, query) == target


def test_the_host_is_written_as_headers_have_it(tmp_path) -> None:
    assert UnixTransport().host == "localhost"
    transport = TlsTransport("192.0.2.1", 8443, tmp_path, tmp_path)
    assert transport.host == "192.0.2.1:8443"
    assert transport._replace(address="2001:db8::1").host == "[2001:db8::1]:8443"


def test_a_fingerprint_is_sha_256_in_hexadecimal() -> None:
    assert fingerprint(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
