# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The client's command line, and a node with a real API service and a real actuator to be asked."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from tests.node.actuator.conftest import actuator, units
from tests.node.api.conftest import service
from tests.node.api.test_streams import commands
from tests.support.api_service import Service

from pinwheel.api.client.group import make_group, run
from pinwheel.api.client.session import Session
from pinwheel.api.client.transport import Transport, UnixTransport

__all__ = ["actuator", "commands", "service", "units"]


class Done(NamedTuple):
    """What a call of the client came to."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]


def call(capfd: pytest.CaptureFixture[str], transport: Transport, *arguments: str) -> Done:
    capfd.readouterr()
    code = run(make_group("A node's API."), Session(transport), arguments)
    return Done(code, *capfd.readouterr())


@pytest.fixture
def cli(service: Service, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Give what calls the client as on the node that `service` is."""
    return lambda *arguments: call(capfd, UnixTransport(str(service.path)), *arguments)
