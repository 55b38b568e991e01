# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A node in a temporary directory, with a real actuator and a real API service on their sockets."""

from collections.abc import Iterator

import pytest
from tests.node.actuator.conftest import Actuator, actuator, units
from tests.support.api_service import Service, running
from tests.support.node_root import put

from pinwheel.image.api_description import write_api_description

__all__ = ["actuator", "service", "units"]


@pytest.fixture
def service(actuator: Actuator) -> Iterator[Service]:
    """The API, with everything behind it."""
    write_api_description(actuator.paths.root)
    put(actuator.paths, "/proc/stat", "cpu  100 0 50 1000 5 0 1 0 0 0\n")
    put(actuator.paths, "/proc/loadavg", "0.50 0.40 0.30 1/100 1234\n")
    put(actuator.paths, "/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n")
    with running(actuator.paths, actuator=actuator.socket_path) as service:
        yield service
