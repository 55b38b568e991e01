# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The actuator as a service: `launch actuator`, started by its socket."""

import signal
from collections.abc import Collection

from pinwheel.node.actuator.effect import Effect
from pinwheel.node.actuator.protocol import Author, Revert
from pinwheel.node.actuator.recovery import recover
from pinwheel.node.actuator.server import Server, inherited_socket
from pinwheel.node.actuator.verbs import Verbs
from pinwheel.node.paths import Paths
from pinwheel.node.system import System, this_system

IDLE_SECONDS = 60.0
CLIENT = "pinwheel-api"
"""The one user besides root that may ask."""


def main() -> int:
    """Serve until nobody has asked for a minute."""
    import pwd

    return serve(this_system(Paths()), {0, pwd.getpwnam(CLIENT).pw_uid})


def serve(system: System, allowed: Collection[int]) -> int:
    """Serve on the inherited socket; `allowed` are the user ids that may ask."""
    recover(system, Effect(system))
    server = Server(inherited_socket(), Verbs(system), allowed, IDLE_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.serve()
    return 0


def revert_trial() -> int:
    """Take back settings that nobody has confirmed in time: `launch revert-trial`, started by the trial's timer."""
    from pinwheel.node.actuator.client import SOCKET, ActuatorFailed, call_and_wait

    try:
        call_and_wait(SOCKET, Revert(Author(kind="system", name="end of the trial")))
    except ActuatorFailed as error:
        print(f"pinwheel: the trial of settings could not be taken back: {error}")
        return 1
    return 0
