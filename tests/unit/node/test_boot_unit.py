# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The unit of the node's first program fits what the program does."""

import re

from pinwheel.node.boot import DATA_SECONDS, Waiting
from pinwheel.node.user_data.disk import UDEV_SECONDS
from pinwheel.node.user_data.imds import Limits
from pinwheel.paths import PROJECT

UNIT = PROJECT / "os/root/usr/lib/systemd/system/pinwheel-boot.service"


def test_slow_machine_has_time_for_all_waits_before_the_start_is_given_up() -> None:
    (limit,) = re.findall(r"^TimeoutStartSec=(\d+)s$", UNIT.read_text(), re.MULTILINE)
    assert int(limit) >= 3 * (UDEV_SECONDS + Limits().total + DATA_SECONDS)
    assert int(limit) >= Waiting().give_up_after
