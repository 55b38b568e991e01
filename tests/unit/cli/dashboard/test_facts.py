# SPDX-License-Identifier: Apache-2.0 OR MIT
from typing import Any

import pytest

from pinwheel.cli.dashboard.facts import (
    Look,
    bar,
    busy,
    container_rows,
    data,
    load,
    memory,
    read_samples,
    size,
    unit_load,
    unit_rows,
)

TEXT = r"""# HELP pinwheel_ready x
# TYPE pinwheel_ready gauge
pinwheel_ready 1
pinwheel_memory_bytes{kind="total"} 1000
pinwheel_memory_bytes{kind="available"} 400
pinwheel_unit_memory_bytes{unit="a\\x2d\"b.service"} 5e+06
"""


def at(seconds: float, status: dict[str, Any] | None = None, containers: Any = (), **samples: Any) -> Look:
    return Look(seconds, status or {}, {f"pinwheel_{name}": value for name, value in samples.items()}, list(containers))


def cpu(seconds: float, **modes: float) -> Look:
    return at(seconds, cpu_seconds_total=modes)


def test_samples_are_read_with_their_label() -> None:
    samples = read_samples(TEXT)
    assert samples["pinwheel_ready"] == {"": 1}
    assert samples["pinwheel_memory_bytes"] == {"total": 1000, "available": 400}
    assert samples["pinwheel_unit_memory_bytes"] == {'a\\x2d"b.service': 5e6}


def test_load_is_what_was_not_idle_between_two_looks() -> None:
    before, now = cpu(0, user=10, system=5, idle=100, iowait=1), cpu(2, user=11, system=6, idle=101, iowait=2)
    assert busy(before, now) == pytest.approx(0.5)


@pytest.mark.parametrize("before", [None, at(0), cpu(0, user=50, idle=900)], ids=["first", "no numbers", "restarted"])
def test_load_is_unknown_at_the_first_look_and_after_a_restart(before: Look | None) -> None:
    assert busy(before, cpu(2, user=1, idle=1)) is None


def test_memory_and_data_are_what_is_not_available() -> None:
    now = at(0, memory_bytes={"total": 1000, "available": 400}, data_bytes={"total": 10, "available": 1})
    assert memory(now) == (600, 1000)
    assert data(now) == (9, 10)
    assert memory(at(0)) == data(at(0)) == (0, 0)


def test_a_units_load_is_in_processors() -> None:
    before, now = (at(t, unit_cpu_seconds_total={"a.service": s}) for t, s in ((0, 1.0), (2, 4.0)))
    assert unit_load(before, now, "a.service") == pytest.approx(1.5)
    assert unit_load(before, now, "b.service") is None
    assert unit_load(now, before, "a.service") is None
    assert unit_load(None, now, "a.service") is None


CONTAINERS = [
    {"name": "old", "image": "i", "state": "exited", "status": "Exited (0)", "unit": "docker-1.scope"},
    {"name": "web", "image": "nginx", "state": "running", "status": "Up", "unit": "docker-2.scope"},
]


def test_units_are_listed_failed_ones_first_then_the_largest_without_containers() -> None:
    sizes = {"small.service": 1, "large.service": 2048, "docker-2.scope": 4096}
    now = at(0, {"failed_units": ["bad.service"]}, CONTAINERS, unit_memory_bytes=sizes)
    assert unit_rows(None, now) == [
        ("bad.service", "failed", ""),
        ("large.service", "2 KiB", ""),
        ("small.service", "1 B", ""),
    ]


def test_containers_are_listed_running_ones_first() -> None:
    now = at(0, {}, CONTAINERS, unit_memory_bytes={"docker-2.scope": 4096})
    assert container_rows(None, now) == [("web", "nginx", "Up", "4 KiB", ""), ("old", "i", "Exited (0)", "", "")]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536 * 1024, "2 MiB"), (1024**4, "1024.0 GiB")]
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


def test_a_bar_is_never_longer_than_it_is() -> None:
    assert bar(1, 4, 4) == "█░░░"
    assert bar(9, 4, 4) == "████"
    assert bar(0, 0, 4) == "░░░░"
    assert (load(1.5), load(None)) == ("150 %", "")
