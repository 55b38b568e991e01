# SPDX-License-Identifier: Apache-2.0 OR MIT
import threading
import time

import pytest
from bench.boot.console import Console


@pytest.fixture
def log(tmp_path):
    return tmp_path / "console.log"


def test_a_line_has_the_time_at_which_it_came(log):
    with Console(log, time.monotonic()) as console:
        threading.Timer(0.3, log.write_bytes, [b"[    0.000000] Linux version 6.12\r\n"]).start()
        line = console.wait_for("Linux version", 5)
    assert line.text == "[    0.000000] Linux version 6.12"
    assert 0.3 <= line.at < 1


def test_a_line_is_waited_for_until_it_is_whole(log):
    with Console(log, time.monotonic()) as console, log.open("wb", buffering=0) as file:
        file.write(b"bench: first")
        with pytest.raises(TimeoutError):
            console.wait_for("first", 0.2)
        file.write(b" container\n")
        assert console.wait_for("container$", 5).text == "bench: first container"


def test_a_line_that_came_before_is_found(log):
    log.write_bytes(b"\x1b[0;32mready\x1b[0m\nmore\n")
    with Console(log, time.monotonic()) as console:
        console.wait_for("more", 5)
        assert console.wait_for("ready", 0).text == "ready"


def test_the_console_s_end_is_told_when_nothing_came(log):
    log.write_bytes(b"Kernel panic\n")
    with Console(log, time.monotonic()) as console, pytest.raises(TimeoutError, match="Kernel panic"):
        console.wait_for("ready", 0.3)
