# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
from dataclasses import replace

from bench.boot.facts import ImageFacts
from bench.boot.guest_files import Memory
from bench.boot.observe import Observation
from bench.boot.report import Row, System, Target, rows
from bench.boot.result import Boot

MIB = 1024**2


def system(first_container: float, memory: int, ports: list[str], **facts: int) -> System:
    idle = Memory(memory * MIB, 2 * memory * MIB, memory * MIB)
    boot = Boot(
        first_container - 2, first_container, 2 * first_container, Observation(idle, idle, ports), first_container - 3
    )
    image = ImageFacts(packages=9, executables=60, setuid=0, root_bytes=10**8, boot_bytes=10**7, download_bytes=10**8)
    return System(replace(image, **facts), [boot], frozenset({"2376/tcp"}))


def verdicts(ours: System, stock: System) -> dict[str, bool]:
    return {row.title: row.met for row in rows(ours, stock) if row.met is not None}


def test_every_target_of_a_good_image_is_met():
    assert set(verdicts(system(20, 70, ["2376/tcp"]), system(50, 100, ["22/tcp"])).values()) == {True}


def test_every_target_of_a_bad_image_is_missed():
    ours = system(23, 71, ["22/tcp", "2376/tcp"], executables=71, root_bytes=116 * 10**6, boot_bytes=17 * 10**6)
    assert set(verdicts(ours, system(50, 100, [])).values()) == {False}


def test_a_target_that_is_just_reached_is_met():
    assert Target(0.45, of_stock=True).is_met(45, 100)
    assert Target(70).is_met(70, None)


def test_a_ratio_to_nothing_is_no_ratio():
    row = Row("open ports", "", (0,), (0,), Target(0))
    assert (row.ratio, row.met) == (None, True)
    assert row.cells() == ["open ports", "0", "0", "", "≤ 0", "met"]


def test_medians_and_spread_of_several_boots():
    row = Row("boot", "s", (21.04, 20, 30), (50, 49, 51), Target(0.4, of_stock=True))
    assert row.cells() == ["boot (s)", "21.0 [20-30]", "50 [49-51]", "0.42", "≤ 0.4 of stock", "MISSED"]


def test_a_figure_that_stock_does_not_have():
    row = Row("API over TLS", "s", (20.5,), ())
    assert row.cells()[1:4] == ["20.5", "", ""]
    assert row.document()["median_stock"] is None


def test_rows_can_be_written_as_json():
    for row in rows(system(20, 70, []), system(50, 100, [])):
        assert json.loads(json.dumps(row.document()))["title"] == row.title
