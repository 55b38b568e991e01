# SPDX-License-Identifier: Apache-2.0 OR MIT
import os
from pathlib import Path

import pytest
from bench.boot.tools import parse_processor_time, run

from pinwheel.errors import EnvironmentFault


def test_processor_time_is_read_behind_a_name_with_brackets_and_spaces():
    ticks = os.sysconf("SC_CLK_TCK")
    stat = f"42 (a (b) c) S 1 42 42 0 -1 4194560 9 8 7 6 {3 * ticks} {ticks} 0 0 20 0 1 0 99"
    assert parse_processor_time(stat) == 4.0


def test_this_process_has_used_the_processor():
    assert parse_processor_time(Path("/proc/self/stat").read_text()) > 0


def test_a_program_that_fails_is_reported_with_what_it_said():
    with pytest.raises(EnvironmentFault, match=r"(?s)sh failed with code 3.*no such mirror"):
        run(["sh", "-c", "echo no such mirror >&2; exit 3"])


def test_a_program_that_waits_for_input_gets_none():
    run(["cat"])
