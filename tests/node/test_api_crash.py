# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The API service and the actuator are killed at random instants of commits: a generation is there whole or not at all,
what was answered as committed stays, and what a crash has left half done is brought to an end by the next start.

Each document sets two things that have to belong together, one that a unit reads when it is restarted: a mix of two
generations would be seen.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import pytest
from tests.support.api_service import Answer, UnixConnection, exchange
from tests.support.node_services import API, READS, RUNNING

from pinwheel.node import paths as places
from pinwheel.node.generations.store import Store
from pinwheel.node.in_effect import read_in_effect
from pinwheel.node.paths import Paths
from pinwheel.paths import PROJECT

COMMITS, TRIALS = 200, 40
SPREAD = 2.5
"""Instants are spread over so many times what a commit takes: whoever was killed before it has to start first."""
PATIENCE = 20.0
"""Seconds for what takes a fraction of one."""
(UNIT,) = READS
Settings = dict[str, Any]


def settings(number: int) -> Settings:
    return {"motd": f"commit {number}", "ntp": {"time-servers": [f"n{number}.example.com"]}}


class Node:
    """The services of a node, and who kills them."""

    def __init__(self, paths: Paths, holder: "subprocess.Popen[bytes]") -> None:
        self.paths = paths
        self.store = Store(paths.at(places.GENERATIONS))
        self._holder = holder

    def ask(self, method: str, target: str, body: Any = None) -> Answer | None:
        """Send one request; None when it gets no whole answer."""
        connection = UnixConnection(self.paths.at(API))
        try:
            return exchange(connection, method, target, body, {})
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def get(self, method: str, target: str, body: Any = None) -> Any:
        """Ask again and again for what can be asked twice."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.ask(method, target, body)
            if answer and answer.status < 300:
                return json.loads(answer.body or b"null")
        raise AssertionError(f"no answer to {method} {target}: {answer}")

    def kill(self, name: str) -> None:
        assert self._holder.stdin
        assert self._holder.stdout
        self._holder.stdin.write(f"kill {name}\n".encode())
        self._holder.stdin.flush()
        self._holder.stdout.readline()

    def killed_during(self, name: str, after: float, method: str, target: str, body: Any) -> Answer | None:
        """Send a request, and kill a service some seconds after its start."""
        timer = threading.Timer(after, self.kill, [name])
        timer.start()
        try:
            return self.ask(method, target, body)
        finally:
            timer.join()

    def shown(self) -> Settings:
        """Give what the API says of the settings now, whatever state the actuator is in."""
        everything = self.get("GET", "/settings?set=true")
        return {key: everything[key] for key in ("motd", "ntp")}

    def settle(self) -> None:
        """Wait for what is under way: a change waits for the one before it, and a start for what it has to repair."""
        self.get("PATCH", "/settings?commit=true&dry_run=true", {})

    def on_disk(self) -> Settings:
        """Give the settings that files and units have."""
        running = self.paths.text(RUNNING + UNIT)
        assert running == self.paths.text(READS[UNIT])
        servers = [line.removeprefix("NTP=") for line in running.splitlines() if line.startswith("NTP=")]
        return {"motd": self.paths.text(places.MOTD), "ntp": {"time-servers": servers}}


@pytest.fixture
def node(root: Paths) -> Iterator[Node]:
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"}
    command = [sys.executable, "-m", "tests.support.node_services", str(root.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as holder:
        running = Node(root, holder)
        deadline = time.monotonic() + PATIENCE
        while not root.at(API).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        running.get("POST", "/tx/apply")  # as boot leaves it
        running.get("PATCH", "/settings?commit=true", settings(0))
        yield running
        with suppress(OSError):
            holder.stdin.close()  # type: ignore[union-attr]


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("PINWHEEL_SEED", time.time_ns() % 2**32))
    print(f"PINWHEEL_SEED={seed}")
    return random.Random(seed)


def usual_seconds(node: Node) -> float:
    """Measure a commit."""
    started = time.monotonic()
    for number in range(-5, 0):
        node.get("PATCH", "/settings?commit=true", settings(number))
    return (time.monotonic() - started) / 5


def test_no_crash_loses_or_tears_a_generation(node: Node, chance: random.Random) -> None:
    usual = usual_seconds(node)
    old, unanswered, lost = settings(-1), 0, 0
    for number in range(1, COMMITS + 1):
        new, victim = settings(number), chance.choice(["actuator", "actuator", "api"])
        answer = node.killed_during(victim, chance.uniform(0, SPREAD * usual), "PATCH", "/settings?commit=true", new)
        committed = answer is not None and answer.status == 200
        assert answer is None or answer.status in {200, 503}, answer
        seen = node.shown()
        assert seen == new if committed else seen in (old, new), f"commit {number}, {victim} killed"

        node.settle()
        current = node.store.current()
        assert current
        assert node.store.damaged == {}
        assert current.settings == new if committed else current.settings in (old, new)
        if committed and answer:
            assert answer.json["generation"] == current.number
        assert node.shown() == node.on_disk() == current.settings, f"commit {number}, {victim} killed"
        assert read_in_effect(node.paths).generation == current.number
        unanswered += not committed
        lost += current.settings == old
        old = current.settings
    print(f"{unanswered} of {COMMITS} got no answer; {lost} left the old settings")
    assert unanswered > COMMITS // 10, "the instants are not those of a commit"
    assert list(node.paths.at(places.GENERATIONS).glob(".*.new")) == []


def test_a_trial_that_a_crash_cuts_short_is_on_trial_whole_or_never_was(node: Node, chance: random.Random) -> None:
    usual = usual_seconds(node)
    old = settings(-1)
    for number in range(1, TRIALS + 1):
        new = settings(number)
        request = ("PATCH", "/settings?commit=true&try=600", new)
        answer = node.killed_during("actuator", chance.uniform(0, SPREAD * usual), *request)
        node.get("GET", "/settings/generations")  # from here on it has started again
        tried = read_in_effect(node.paths).trial is not None
        assert tried or not (answer and answer.status == 200)
        assert node.shown() == node.on_disk() == (new if tried else old), f"trial {number}"
        assert node.paths.at(places.TRIAL_TIMER).exists() == tried
        if tried:
            verb = chance.choice(["confirm", "revert"])
            node.killed_during("actuator", chance.uniform(0, usual), "POST", f"/settings/try/{verb}", None)
            node.get("GET", "/settings/generations")
            if read_in_effect(node.paths).trial:
                node.get("POST", f"/settings/try/{verb}")
            old = new if verb == "confirm" else old
        assert node.shown() == node.on_disk() == old, f"trial {number}"
        node.settle()
