# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel build` where it cannot succeed: a clear error, and nothing half-made that the next build would trust."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.ctrl_c import heed_ctrl_c
from tests.support.registry import free_port

from pinwheel.errors import ExitCode
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT, cache_directory

BUILD = [sys.executable, "-m", "pinwheel.cli", "build"]
WAIT = 120.0
"""Seconds until a build that must fail has failed, or one that is to be interrupted has got there."""


def environment(cache: Path) -> dict[str, str]:
    return os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(PROJECT / "src")}


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if not path.is_dir()]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Another user's cache directory, empty."""
    return tmp_path / "cache"


def test_mirror_that_does_not_answer_is_named_with_what_to_do(cache: Path) -> None:
    mirror = f"http://127.0.0.1:{free_port()}/debian"
    done = subprocess.run(
        [*BUILD, "--mirror", mirror], env=environment(cache), capture_output=True, text=True, timeout=WAIT
    )
    assert done.returncode == ExitCode.ENVIRONMENT
    assert "from the mirror" in done.stderr
    assert "--mirror" in done.stderr
    assert "Traceback" not in done.stderr
    assert files_below(cache) == []


def test_full_cache_disk_is_named_with_what_to_do(cache: Path) -> None:
    cache.mkdir()
    script = f'mount -t tmpfs -o size=64m none {cache} && "$@"; code=$?; find {cache} -type f; exit $code'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *BUILD],
        env=environment(cache), capture_output=True, text=True, timeout=WAIT,
    )  # fmt: skip
    assert done.returncode == ExitCode.ENVIRONMENT
    assert "MB free" in done.stderr
    assert "make room" in done.stderr
    assert done.stdout == ""


@pytest.fixture
def fetched_cache(toolbox: Toolbox) -> Iterator[Path]:
    """A cache on the real one's file system with what was fetched in it, so that a build is soon where it hurts."""
    base = cache_directory() / "interrupted"
    shutil.rmtree(base, ignore_errors=True)
    for name in ("packages", "wheels", "locks"):
        if (cache_directory() / name).exists():
            shutil.copytree(cache_directory() / name, base / "pinwheel" / name, copy_function=os.link)
    yield base
    shutil.rmtree(base)


@pytest.mark.parametrize("stage", ["toolbox", "trees"])
def test_interrupted_build_leaves_nothing_half_made(fetched_cache: Path, toolbox: Toolbox, stage: str) -> None:
    cache = fetched_cache / "pinwheel"
    if stage == "trees":  # the stage before it is done
        shutil.copytree(toolbox.root, cache / "toolbox" / toolbox.root.name, copy_function=os.link, symlinks=True)
    done = interrupt_when(lambda: any((cache / stage).glob(".new-*/*")), fetched_cache)
    assert done.returncode == ExitCode.INTERRUPTED, done.stderr
    assert "Traceback" not in done.stderr
    assert list((cache / stage).iterdir()) == []
    assert not (cache / "images").exists()


def interrupt_when(reached: Callable[[], bool], cache: Path) -> subprocess.CompletedProcess[str]:
    """Start a build, press Ctrl-C as soon as it has got somewhere, and give how it ended."""
    with subprocess.Popen(
        BUILD,
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    ) as build:
        deadline = time.monotonic() + WAIT
        while not reached() and build.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)  # into the middle of it
        os.killpg(build.pid, signal.SIGINT)  # as a terminal does: to every process of the command
        output, errors = build.communicate(timeout=WAIT)
    return subprocess.CompletedProcess(BUILD, build.returncode, output, errors)
