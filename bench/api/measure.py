# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Take the samples, each by turns with its floor."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.api.client import Answer, request
from bench.api.figures import Pair
from bench.api.node import MeasuredNode

from pinwheel.errors import CheckFailed

GET = request("GET", "/settings")
SILENCE = 120.0
"""Seconds after which nothing may be resident."""
WARM_UP = 50
"""Requests before the first that counts."""
_LOOK_EVERY = 0.5
FULL = 100
"""Generations that a node keeps: adding one more removes the oldest."""


def answers(node: MeasuredNode, count: int) -> Pair:
    """GET /settings, beside the bare application."""
    api, hello = node.sockets.connect("api"), node.sockets.connect("hello")
    for _ in range(WARM_UP):
        good(api.ask(GET))
        good(hello.ask(GET))
    pair = Pair([], [])
    for _ in range(count):
        pair.ours.append(good(api.ask(GET)).seconds)
        pair.floor.append(good(hello.ask(GET)).seconds)
    api.close()
    hello.close()
    return pair


def changes(node: MeasuredNode, count: int, make: Callable[[int], bytes]) -> Pair:
    """Requests that make a generation each, beside a durable write of as many bytes in the same directory."""
    api = node.sockets.connect("api")
    number = 0
    while number < WARM_UP or len(_generations(node)) < FULL:
        good(api.ask(make(number)))
        number += 1
    pair = Pair([], [])
    for _ in range(count):
        number += 1
        pair.ours.append(good(api.ask(make(number))).seconds)
        pair.floor.append(durable_write(node.generations, _generations(node)[-1].read_bytes()))
    api.close()
    return pair


def one_key(number: int) -> bytes:
    """Set, commit and apply a setting that restarts nothing."""
    return request("PATCH", "/settings?commit=true", {"motd": f"This is message {number:08}."})


def whole_document(settings: dict[str, Any]) -> Callable[[int], bytes]:
    """Give the whole document anew, of which one value has changed."""
    return lambda number: request(
        "POST", "/settings/apply", {"settings": settings | {"motd": f"Document {number:08}."}}
    )


def durable_write(directory: Path, content: bytes) -> float:
    """Write, fsync, rename; give the seconds."""
    place, temporary = directory / ".floor", directory / ".floor.new"
    started = time.perf_counter()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, place)  # noqa: PTH104 - the system call, and nothing around it
    return time.perf_counter() - started


def starts(node: MeasuredNode, count: int, content: Callable[[int], bytes]) -> Pair:
    """The first answer when nothing runs, beside a start that does nothing."""
    pair = Pair([], [])
    for number in range(count):
        node.stop()
        pair.floor.append(node.tell("start"))
        started = time.perf_counter()
        channel = node.sockets.connect("api")
        good(channel.ask(content(number)))
        pair.ours.append(time.perf_counter() - started)
        channel.close()
    node.stop()
    return pair


def memory(node: MeasuredNode) -> dict[str, dict[str, int]]:
    """Give the memory of API and actuator while nothing else of ours runs: bytes, by the names that the kernel has."""
    node.stop()
    api = node.sockets.connect("api")
    for number in range(WARM_UP):
        good(api.ask(GET))
        good(api.ask(one_key(number)))
    found = {name: node.tell("memory", name) for name in ("api", "actuator")}
    api.close()
    return found


def silence(node: MeasuredNode) -> dict[str, float]:
    """Ask nothing any more; give the seconds after which each process was gone, for those that went."""
    quiet_since, running = time.monotonic(), node.running()
    gone: dict[str, float] = {}
    while running - set(gone) and (passed := time.monotonic() - quiet_since) < SILENCE:
        gone |= dict.fromkeys(running - node.running() - set(gone), passed)
        time.sleep(_LOOK_EVERY)
    return gone


def good(answer: Answer) -> Answer:
    """Give an answer back; raises CheckFailed when it is an error."""
    if answer.status != 200:
        words = answer.body[:300].decode(errors="replace")
        raise CheckFailed(f"the API answered {answer.status}: {words}", "its own words are above, where it had some")
    return answer


def what_is_set(node: MeasuredNode) -> dict[str, Any]:
    """Give the node's document of settings, its secrets hidden: given back so, they stay what they are."""
    channel = node.sockets.connect("api")
    settings: dict[str, Any] = json.loads(good(channel.ask(request("GET", "/settings?set=true"))).body)
    channel.close()
    return settings


def _generations(node: MeasuredNode) -> list[Path]:
    return sorted(node.generations.glob("*.json"))
