# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a node says about itself, on the console and to the workstation, and the settings that it was given."""

import json
import re

import pytest
from tests.support.lab import Docker, Lab

from pinwheel.image.manifest import read_manifest
from pinwheel.machine.machine import Machine
from pinwheel.machine.node_status import NodeStatus

pytestmark = pytest.mark.vm


@pytest.fixture
def status(node: Machine) -> NodeStatus:
    status = node.status()
    assert status is not None
    return status


def test_readiness_line_and_status_document_agree(node: Machine, status: NodeStatus) -> None:
    (line,) = re.findall(r"^pinwheel: ready (.*)$", node.console_text(), re.MULTILINE)
    said = dict(pair.split("=", 1) for pair in line.split())
    assert said == {
        "version": status.version,
        "variant": status.variant,
        "slot": status.slot,
        "root-hash": status.root_hash,
        "addresses": ",".join(status.addresses),
    }
    assert status.ready
    assert status.reasons == []


def test_node_runs_what_was_built(lab: Lab, status: NodeStatus) -> None:
    manifest = read_manifest(lab.image.directory)
    assert (status.version, status.variant, status.kernel) == (manifest.version, manifest.variant, manifest.kernel)
    assert status.root_hash == manifest.root_hash
    assert status.slot == "a"
    assert status.secure_boot


def test_status_screen_says_how_to_reach_the_node(node: Machine, status: NodeStatus) -> None:
    screen = node.console_text().rpartition("\nPinwheel\n")[2]
    assert f"root hash  {status.root_hash[:16]}" in screen
    assert f"Docker API over TLS at {status.addresses[0]}:2376" in screen
    assert "Welcome to the test." in screen
    assert "login:" not in node.console_text()


def test_settings_of_the_user_data_hold(docker: Docker, status: NodeStatus, busybox: str) -> None:
    assert status.user_data.source == "credential"
    assert status.user_data.problems == []
    assert status.hostname == "node-1.example.com"
    assert docker("info", "--format", "{{.Name}}") == "node-1.example.com"
    assert docker("run", "--rm", busybox, "cat", "/proc/sys/vm/max_map_count") == "262144"


def test_no_unit_failed_on_the_way(node: Machine) -> None:
    assert not re.findall(r"FAILED|Failed|Traceback|unit .* has failed", node.console_text())


def test_verbs_show_the_machine_and_its_node(lab: Lab, node: Machine, status: NodeStatus) -> None:
    (listed,) = (one for one in json.loads(lab.pinwheel("ps", "--json").stdout) if one["name"] == node.name)
    assert (listed["state"], listed["version"]) == ("ready", status.version)
    shown = lab.pinwheel("status", node.name)
    assert shown.returncode == 0, shown.stderr
    for value in (status.root_hash, status.kernel, status.hostname, "ready"):
        assert value in shown.stdout
    assert "pinwheel: ready " in lab.pinwheel("logs", node.name).stdout
