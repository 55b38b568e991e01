# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The bench of the API on the real image's root: it measures, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.api import measure
from bench.api.__main__ import USER_DATA
from bench.api.image_root import Roots, unpack
from bench.api.node import start

from pinwheel.image.build import BuiltImage
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT, cache_directory
from pinwheel.progress import SilentProgress

WAIT = 60.0

BENCH = """
import sys, time
from pathlib import Path
from bench.api.image_root import Roots
from bench.api.node import start
from bench.boot.ending import unwind_on_signals
from tests.support.run_directory import RunDirectory

image, floor, base, user_data = map(Path, sys.argv[1:])
unwind_on_signals()
with RunDirectory(base) as run, start(Roots(image, floor), run.path, user_data.read_bytes()) as node:
    node.sockets.connect("api").ask(b"GET /settings HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n")
    print("measuring", flush=True)
    time.sleep(600)
"""
"""What `python -m bench.api` does, for longer."""


@pytest.fixture(scope="module")
def roots(image: BuiltImage, toolbox: Toolbox) -> Roots:
    return unpack(image, toolbox, cache_directory() / "bench", SilentProgress())


@pytest.fixture
def bench(roots: Roots, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A bench that is measuring."""
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT}/src"}
    words = map(str, [sys.executable, "-c", BENCH, roots.image, roots.floor, tmp_path / "base", USER_DATA])
    with subprocess.Popen(list(words), env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"measuring\n"
        yield process
        process.kill()


def processes_below(directory: Path) -> list[str]:
    """Name the processes that are told of a directory: the bench's own, and its holder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace")
        except OSError:  # gone meanwhile
            continue
        if str(directory) in words:
            found.append(words)
    return found


def test_every_figure_has_its_floor(roots: Roots, tmp_path: Path) -> None:
    with start(roots, tmp_path, USER_DATA.read_bytes()) as node:
        document = measure.what_is_set(node)
        pairs = [
            measure.answers(node, 5),
            measure.changes(node, 5, measure.one_key),
            measure.changes(node, 5, measure.whole_document(document)),
            measure.starts(node, 2, lambda _number: measure.GET),
        ]
        assert all(min(pair.ours + pair.floor) > 0 for pair in pairs)
        assert all(len(pair.ours) == len(pair.floor) for pair in pairs)
        memory = measure.memory(node)
        assert all(memory[name]["pss"] > 1_000_000 for name in ("api", "actuator"))
        assert node.running() == {"api", "actuator"}
        node.stop()
        assert node.running() == set()
    assert document["docker"]["log-driver"] == "local"
    assert processes_below(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_everything(bench: "subprocess.Popen[bytes]", tmp_path: Path, number: int) -> None:
    bench.send_signal(number)
    assert bench.wait(WAIT) == 128 + number
    assert processes_below(tmp_path) == []
    assert list((tmp_path / "base").iterdir()) == []


def test_nothing_outlives_a_bench_that_was_killed(bench: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    bench.kill()
    bench.wait(WAIT)
    deadline = time.monotonic() + WAIT
    while processes_below(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_below(tmp_path) == []
