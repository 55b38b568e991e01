# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How a machine is put into words."""

import pytest

from pinwheel.cli.machine_view import human_duration, next_steps
from pinwheel.machine.node_status import NodeStatus


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3725, "1 h 2 min"), (90000, "1 d 1 h"), (86400 * 3, "3 d")],
)
def test_duration_is_said_in_its_two_largest_units(seconds, text):
    assert human_duration(seconds) == text


def test_next_steps_say_whether_the_node_is_ready(stopped_machine):
    status = NodeStatus(ready=True, version="0.1.0", variant="docker", addresses=["10.0.2.15"])
    assert next_steps(stopped_machine, status).startswith(
        "The machine web is ready: Pinwheel 0.1.0 (docker) at 10.0.2.15."
    )
    assert "not known to be ready" in next_steps(stopped_machine, None)
