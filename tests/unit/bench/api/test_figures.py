# SPDX-License-Identifier: Apache-2.0 OR MIT
import json

import pytest
from bench.api.figures import Figure, Pair, Target, percentile


def test_percentiles_are_samples_by_nearest_rank():
    samples = [float(number) for number in range(100, 0, -1)]
    assert (percentile(samples, 50), percentile(samples, 99), percentile(samples, 100)) == (50, 99, 100)
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0


def test_no_samples_have_no_percentile():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_a_target_beside_a_floor_grows_with_it():
    target = Target(times=3, more=10)
    assert str(target) == "≤ 3 x floor + 10"
    assert Figure("set", "ms", 16, 2, target).met is True
    assert Figure("set", "ms", 16.1, 2, target).met is False


def test_a_target_without_a_floor_is_a_number():
    assert Figure("processes", "", 0, target=Target()).met is True
    assert Figure("processes", "", 1, target=Target()).met is False
    assert Figure("processes", "", 1, target=Target()).cells() == ["processes", "1.00", "", "", "≤ 0", "MISSED"]
    assert str(Target(more=60)) == "≤ 60"


def test_without_a_target_there_is_no_verdict():
    assert Figure("apply", "ms", 9, 2).cells() == ["apply (ms)", "9.00", "2.00", "4.50", "", ""]


def test_a_pair_gives_a_figure_for_each_percentile_in_milliseconds():
    pair = Pair([0.001] * 98 + [0.01, 0.01], [0.0005] * 100)
    middle, tail = pair.figures("GET", Target(times=3))
    assert (middle.title, middle.value, middle.floor, middle.met) == ("GET, p50", 1.0, 0.5, True)
    assert (tail.title, tail.value, tail.ratio, tail.met) == ("GET, p99", 10.0, 20.0, False)


def test_figures_can_be_written_as_json():
    document = Figure("GET", "ms", 1.5, 0.5, Target(times=3)).document()
    assert json.loads(json.dumps(document))["ratio"] == 3.0
