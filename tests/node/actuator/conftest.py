# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A node in a temporary directory, and an actuator on a real socket."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.units import RecordingUnits

from pinwheel.node import paths as places
from pinwheel.node.actuator.client import call_and_wait
from pinwheel.node.actuator.protocol import Apply, Verb
from pinwheel.node.actuator.server import Server
from pinwheel.node.actuator.verbs import Verbs
from pinwheel.node.paths import Paths
from pinwheel.node.services.table import SERVICES
from pinwheel.node.system import System
from pinwheel.node.units import Health
from pinwheel.settings.tree import Settings


class Actuator:
    """What a test has of a running actuator."""

    def __init__(self, system: System, units: RecordingUnits, socket_path: Path) -> None:
        self.system = system
        self.paths = system.paths
        self.store = system.store
        self.units = units
        self.socket_path = socket_path

    def ask(self, request: Verb) -> Any:
        return call_and_wait(self.socket_path, request)


@pytest.fixture
def units() -> RecordingUnits:
    return RecordingUnits()


@pytest.fixture
def actuator(root: Paths, units: RecordingUnits) -> Iterator[Actuator]:
    system = System(root, Settings, SERVICES, lambda _paths: units, Health(steady=0.02, pause=0.01))
    place = root.at("/run/actuator.sock")
    place.parent.mkdir(parents=True, exist_ok=True)
    root.at(places.SYSCTL).parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(place))
    listener.listen()
    server = Server(listener, Verbs(system), {os.getuid()}, idle=0.2)
    over = threading.Event()

    def serve_again() -> None:  # as systemd would
        while not over.is_set():
            server.serve()

    thread = threading.Thread(target=serve_again)
    thread.start()
    node = Actuator(system, units, place)
    node.ask(Apply())  # as boot leaves it
    units.done.clear()
    yield node
    over.set()
    thread.join()
    listener.close()
