# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How a machine is put into words."""

from pinwheel.cli.machine_view import next_steps
from pinwheel.machine.node_status import NodeStatus


def test_next_steps_say_whether_the_node_is_ready(stopped_machine):
    status = NodeStatus(ready=True, version="0.1.0", variant="docker", addresses=["10.0.2.15"])
    assert next_steps(stopped_machine, status).startswith(
        "The machine web is ready: Pinwheel 0.1.0 (docker) at 10.0.2.15."
    )
    assert "not known to be ready" in next_steps(stopped_machine, None)
