# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API on a node: from the first request to the process's leaving, on the socket and over the network."""

import json
import re
import time
from typing import Any

import pytest
from tests.vm.test_security import Operator, operator

__all__ = ["operator"]
pytestmark = pytest.mark.vm

MAX_PSS = 60 * 1024
"""KiB, of the API and the actuator together."""
LEAVES_AFTER = 120.0
"""Seconds without a request after which nothing of ours may be resident."""
PROCESSES = ("launch api", "launch actuator")


class Node:
    """What a test asks of the node's own client."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def __call__(self, *words: str) -> Any:
        code, said = self.attempt(*words)
        assert code == 0, said
        return json.loads(said) if said.strip() else None

    def attempt(self, *words: str) -> tuple[int, str]:
        quoted = " ".join(f"'{word}'" for word in words)
        return self._operator.run(f"busybox nsenter -t 1 -m /usr/bin/apiclient {quoted}")

    def processes(self) -> dict[str, str]:
        """Give the pids of the API's processes by what they run."""
        _, shown = self._operator.run("busybox ps -o pid,args")
        found = re.findall(r"^\s*(\d+) \S*(launch (?:api|actuator))\s*$", shown, re.MULTILINE)
        return {name: pid for pid, name in found}


@pytest.fixture(scope="module")
def client(operator: Operator) -> Node:
    return Node(operator)


def test_settings_are_read_and_changed_and_unset(client: Node) -> None:
    assert client("raw", "-u", "/settings?keys=motd") == {"motd": "Welcome to the test."}
    changed = client("raw", "-m", "PATCH", "-u", "/settings?commit=true", "-d", '{"motd": "changed"}')
    assert [change["path"] for change in changed["changes"]] == ["settings.motd"]
    assert client("raw", "-u", "/settings?keys=motd") == {"motd": "changed"}
    back = client("raw", "-m", "POST", "-u", f"/settings/generations/{changed['generation'] - 1}/rollback")
    assert back["applied"]
    assert client("raw", "-u", "/settings?keys=motd") == {"motd": "Welcome to the test."}


def test_a_change_is_an_event_of_the_journal(client: Node, operator: Operator) -> None:
    events = [line["message"] for line in logs(client, "/logs?lines=1000&boot=0&unit=pinwheel-actuator.service")]
    assert any("generation" in message for message in events), events
    assert logs(client, "/logs?lines=5&priority=info&since=1h")


def logs(client: Node, uri: str) -> list[dict[str, Any]]:
    code, said = client.attempt("raw", "-u", uri)
    assert code == 0, said
    return [json.loads(line) for line in said.splitlines() if line.strip()]


def test_status_is_the_nodes(client: Node) -> None:
    status = client("raw", "-u", "/status")
    assert (status["ready"], status["secure_boot"], status["variant"]) == (True, True, "docker")


def test_both_processes_are_small(client: Node, operator: Operator) -> None:
    client("raw", "-u", "/status")
    sizes = {}
    for name, pid in client.processes().items():
        _, rollup = operator.run(f"cat /proc/{pid}/smaps_rollup")
        match = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        assert match, rollup
        sizes[name] = int(match[1])
    assert set(sizes) == set(PROCESSES)
    assert sum(sizes.values()) <= MAX_PSS, sizes


def test_both_leave_when_nobody_asks_and_come_back(client: Node) -> None:
    client("raw", "-u", "/status")
    deadline = time.monotonic() + LEAVES_AFTER
    while client.processes() and time.monotonic() < deadline:
        time.sleep(3)
    assert client.processes() == {}
    assert client("raw", "-u", "/os")["variant_id"] == "docker"
    assert set(client.processes()) == {"launch api"}
