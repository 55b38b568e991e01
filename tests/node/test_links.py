# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Interfaces of a network namespace of this test's own, removed by the real kernel."""

import os
import socket
import subprocess
import sys

import pytest

from pinwheel.node.links import delete_link

SCRIPT = """
import socket, subprocess, sys
from pinwheel.node.links import delete_link
subprocess.run(["ip", "link", "add", "one", "type", "veth", "peer", "name", "two"], check=True)
delete_link("one")
print([name for _, name in socket.if_nameindex()])
"""


def test_interface_that_is_not_there_is_gone():
    delete_link("no-such-link0")


def test_interface_that_was_made_is_removed():
    unshare = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*unshare, "ip", "link"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespaces or no ip(8) here")
    done = subprocess.run(
        [*unshare, sys.executable, "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "['lo']"


def test_kernel_refuses_to_remove_what_nobody_made():
    if "lo" not in {name for _, name in socket.if_nameindex()}:
        pytest.skip("no loopback interface")
    with pytest.raises(OSError, match="lo: "):
        delete_link("lo")
