# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`python -m tests.support.node_services ROOT`: API service and actuator below a temporary root, on their sockets.

The code is the node's. Two things differ: systemd's place is taken by `activation`, and the units that changes restart
by `ReadingUnits`, who remember what they have read.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.support.activation import Holder, Service, listen
from tests.support.units import RecordingUnits

from pinwheel.node import paths as places
from pinwheel.node.actuator import service as actuator
from pinwheel.node.api import app
from pinwheel.node.api.limits import Limits
from pinwheel.node.api.main import inherited, serve
from pinwheel.node.api.node import ACTUATOR, Node
from pinwheel.node.paths import Paths
from pinwheel.node.services.table import SERVICES
from pinwheel.node.system import System
from pinwheel.node.units import Health
from pinwheel.settings.tree import Settings

API = "/run/pinwheel/api.sock"
RUNTIME = "/run/pinwheel-api"
RUNNING = "/run/running/"
"""Here is what each unit has read when it was restarted last, in a file of the unit's name."""
READS = {"systemd-timesyncd.service": places.TIMESYNCD}


class ReadingUnits(RecordingUnits):
    """Units that read their configuration when they are restarted, and at no other time."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths

    def do(self, verb: str, unit: str) -> str:
        if unit in READS:
            running = self._paths.at(RUNNING + unit)
            running.parent.mkdir(parents=True, exist_ok=True)
            running.write_text(self._paths.text(READS[unit]))
        return super().do(verb, unit)


def main(root: Path) -> None:
    paths = Paths(root)
    system = System(paths, Settings, SERVICES, ReadingUnits, Health(steady=0.0, pause=0.005))

    def serve_api() -> int:
        asyncio.run(serve(inherited(os.environ), Node(paths, paths.at(RUNTIME), Limits())))
        return 0

    services = {
        "api": Service(listen(paths.at(API)), serve_api),
        "actuator": Service(listen(paths.at(ACTUATOR)), lambda: actuator.serve(system, {os.getuid()}), restart=True),
    }
    for module in app.HANDLERS:  # a start costs a fork then, and no import
        __import__(f"pinwheel.node.api.handlers.{module}")
    Holder(services).hold()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
