# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Numbers in Prometheus' text format, version 0.0.4. What is counted, is counted since this process was started."""

import json
import os
import time
from collections.abc import Iterable

from pinwheel.api.endpoint import METRICS
from pinwheel.api.problem import ApiError
from pinwheel.node import paths as places
from pinwheel.node.api.message import Asked, Response
from pinwheel.node.api.node import Node
from pinwheel.node.cgroups import usages

_KIB = 1024
_MEMORY = {
    "MemTotal": "total",
    "MemAvailable": "available",
    "MemFree": "free",
    "Cached": "cached",
    "SwapFree": "swap_free",
}
_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""Columns of the first line of /proc/stat: proc_stat(5)."""

Sample = tuple[str, float]


async def get_metrics(node: Node, _asked: Asked) -> Response:
    """All numbers."""
    return Response(200, "".join(_all(node)).encode(), METRICS)


def _all(node: Node) -> Iterable[str]:
    yield metric(
        "pinwheel_ready", "gauge", "Whether workloads can be given to the node, as last looked at.", _ready(node)
    )
    yield metric("pinwheel_settings_generation", "gauge", "The newest generation of the settings.", _generation(node))
    yield metric("pinwheel_memory_bytes", "gauge", "Memory of the machine.", _memory(node))
    yield metric("pinwheel_cpu_seconds_total", "counter", "Time of all processors.", _processors(node))
    taken = usages(node.paths)
    memory = [(f'{{unit="{_label(one.unit)}"}}', float(one.memory)) for one in taken]
    cpu = [(f'{{unit="{_label(one.unit)}"}}', one.cpu) for one in taken]
    yield metric("pinwheel_unit_memory_bytes", "gauge", "Memory of a unit; containers are units.", memory)
    yield metric("pinwheel_unit_cpu_seconds_total", "counter", "Time of processors for a unit.", cpu)
    yield metric("pinwheel_load1", "gauge", "Load average of one minute.", [("", _load(node))])
    yield metric(
        "pinwheel_uptime_seconds",
        "gauge",
        "Since the kernel was started.",
        [("", time.clock_gettime(time.CLOCK_BOOTTIME))],
    )
    yield metric("pinwheel_data_bytes", "gauge", "The data partition.", _data(node))
    yield metric(
        "pinwheel_api_uptime_seconds", "gauge", "Of the API's process.", [("", time.monotonic() - node.started)]
    )
    answered = [(f'{{status="{status}"}}', float(count)) for status, count in sorted(node.answered.items())]
    yield metric("pinwheel_api_requests_total", "counter", "Requests answered, by status.", answered)
    yield metric("pinwheel_api_commits_total", "counter", "Changes of settings committed.", [("", float(node.commits))])


def metric(name: str, kind: str, description: str, samples: Iterable[Sample]) -> str:
    """Write one metric: samples are labels in braces, or nothing, and the value."""
    lines = [f"# HELP {name} {description}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{labels} {value:.10g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    """Write a label's value: a unit's name may hold backslashes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _ready(node: Node) -> Iterable[Sample]:
    try:
        yield "", float(json.loads(node.paths.text(places.STATUS))["ready"])
    except (ValueError, KeyError):
        yield "", 0.0


def _generation(node: Node) -> Iterable[Sample]:
    try:
        yield "", float(node.view.read().generation)
    except ApiError:  # the node is starting
        yield "", 0.0


def _memory(node: Node) -> Iterable[Sample]:
    for line in node.paths.text(places.MEMORY).splitlines():
        name, _, value = line.partition(":")
        if name in _MEMORY:
            yield f'{{kind="{_MEMORY[name]}"}}', float(value.split()[0]) * _KIB


def _processors(node: Node) -> Iterable[Sample]:
    first = node.paths.text("/proc/stat").partition("\n")[0].split()[1:]
    ticks = os.sysconf("SC_CLK_TCK")
    for mode, value in zip(_MODES, first, strict=False):
        yield f'{{mode="{mode}"}}', int(value) / ticks


def _load(node: Node) -> float:
    return float((node.paths.text("/proc/loadavg").split() or ["0"])[0])


def _data(node: Node) -> Iterable[Sample]:
    try:
        status = os.statvfs(node.paths.at(places.JOURNAL))  # /var itself is an empty one here: pinwheel-api.service
    except OSError:
        return
    yield '{kind="total"}', float(status.f_blocks * status.f_frsize)
    yield '{kind="available"}', float(status.f_bavail * status.f_frsize)
