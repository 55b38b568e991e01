# SPDX-License-Identifier: Apache-2.0 OR MIT
import os
import socket

import pytest

from pinwheel.node.api.peer import Client, certificate_role, local_client, may, remote_client


@pytest.mark.parametrize(
    ("organizations", "role"),
    [
        (["pinwheel:reader"], "reader"),
        (["pinwheel:admin"], "admin"),
        (["ACME", "pinwheel:operator"], "operator"),
        (["pinwheel:admin", "pinwheel:admin"], "admin"),
        ([], None),
        (["ACME"], None),
        (["pinwheel:"], None),
        (["pinwheel:root"], None),
        (["PINWHEEL:admin"], None),
        (["pinwheel:reader", "pinwheel:admin"], None),
        (["pinwheel:reader", "pinwheel:root"], None),
    ],
)
def test_a_certificate_names_one_role_or_has_none(organizations: list[str], role: str | None) -> None:
    assert certificate_role([("organizationName", name) for name in organizations]) == role


def test_a_name_that_looks_like_a_role_is_a_name() -> None:
    subject = ((("commonName", "pinwheel:admin"),), (("organizationName", "pinwheel:reader"),))
    client = remote_client({"subject": subject}, b"der", "192.0.2.1")
    assert (client.role, client.author["name"], client.key) == ("reader", "pinwheel:admin", "192.0.2.1")
    assert len(client.author["fingerprint"]) == 64


def test_a_local_process_is_known_by_the_kernel() -> None:
    one, other = socket.socketpair()
    with one, other:
        client = local_client(one)
    assert client == Client("admin", {"kind": "local", "uid": os.getuid(), "pid": os.getpid()}, f"uid {os.getuid()}")


def test_roles_include_those_below() -> None:
    operator = Client("operator", {}, "")
    assert (may(operator, "reader"), may(operator, "operator"), may(operator, "admin")) == (True, True, False)
    assert not may(Client(None, {}, ""), "reader")
