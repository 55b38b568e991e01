# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The clock of a trial: systemd's, so that nothing of ours has to stay and watch.

The timer lives below /run: a reboot in the middle of a trial ends it too, as boot takes no generation that is on trial.
"""

import time

from pinwheel.node.files import remove, write_atomically
from pinwheel.node.paths import TRIAL_TIMER, Paths
from pinwheel.node.serialize import ini_file
from pinwheel.node.units import Units

_UNIT = TRIAL_TIMER.rpartition("/")[2]
SERVICE = "pinwheel-trial.service"
"""Runs `launch revert-trial`."""


def start_timer(paths: Paths, units: Units, seconds: int) -> None:
    """Have the trial taken back after some seconds.

    Raises:
        OSError: systemd does not take the timer.
    """
    sections = {
        "Unit": {"Description": "End of the Trial of Settings"},
        "Timer": {"OnActiveSec": f"{seconds}s", "AccuracySec": "1s", "RemainAfterElapse": "no", "Unit": SERVICE},
    }
    write_atomically(paths.at(TRIAL_TIMER), ini_file(sections))
    units.reload_definitions()
    words = units.do("restart", _UNIT)
    if words:
        remove(paths.at(TRIAL_TIMER))
        raise OSError(f"the timer of the trial does not start: {words}")


def stop_timer(paths: Paths, units: Units) -> None:
    """Forget the timer."""
    units.do("stop", _UNIT)
    remove(paths.at(TRIAL_TIMER))


def end_of_trial(seconds: int) -> str:
    """Give the time of the end: RFC 3339, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
