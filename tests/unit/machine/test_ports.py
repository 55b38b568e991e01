# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Choosing and checking ports, with real sockets."""

import socket
from collections.abc import Iterator

import pytest

from pinwheel.errors import UsageFault
from pinwheel.machine.ports import check_free, choose_port
from pinwheel.machine.record import PortForward


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_machine_keeps_its_port_while_that_is_free():
    port = choose_port(None)
    assert choose_port(port) == port


def test_port_that_is_busy_or_published_is_replaced(busy):
    assert choose_port(busy) != busy
    port = choose_port(None)
    assert choose_port(port, [port]) != port


def test_busy_port_cannot_be_published(busy):
    with pytest.raises(UsageFault, match=f"port {busy} of 127.0.0.1"):
        check_free([PortForward(host=busy, guest=80)])


def test_tcp_and_udp_do_not_meet(busy):
    check_free([PortForward(host=busy, guest=53, protocol="udp")])


def test_port_published_twice_is_refused():
    port = choose_port(None)
    with pytest.raises(UsageFault, match="twice"):
        check_free([PortForward(host=port, guest=80), PortForward(host=port, guest=81)])
