# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The build's cache: what stays and what goes."""

import os
import time
from pathlib import Path

from pinwheel.image.build import ABANDONED_SECONDS, forget_old


def entry(directory: Path, name: str, age: float) -> Path:
    path = directory / name
    path.mkdir()
    (path / "file").write_text("x")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_what_was_used_last_stays_and_the_rest_goes(tmp_path):
    for number in range(4):
        entry(tmp_path, f"docker-{number}", age=number * 60)
    forget_old(tmp_path, "docker-*", keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docker-0", "docker-1"]


def test_other_variants_are_left_alone(tmp_path):
    entry(tmp_path, "docker-0", age=0)
    entry(tmp_path, "ecs-0", age=600)
    forget_old(tmp_path, "docker-*", keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docker-0", "ecs-0"]


def test_build_under_way_stays_and_an_abandoned_one_goes(tmp_path):
    entry(tmp_path, ".new-now", age=60)
    entry(tmp_path, ".new-long-ago", age=ABANDONED_SECONDS + 60)
    forget_old(tmp_path, "*", keep=1)
    assert [path.name for path in tmp_path.iterdir()] == [".new-now"]
