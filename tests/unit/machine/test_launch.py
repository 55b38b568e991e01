# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Requests that do not fit are refused before anything is built, made or changed."""

from pathlib import Path
from typing import Any

import pytest

from pinwheel.errors import CheckFailed, UsageFault
from pinwheel.machine.launch import RunRequest, launch
from pinwheel.machine.record import GIB, MIB, PortForward
from pinwheel.progress import SilentProgress


def refused(store, **request: Any) -> UsageFault:
    with pytest.raises(UsageFault) as caught:
        launch(RunRequest(**{"name": "web", "wait": False, **request}), SilentProgress(), store)
    return caught.value


@pytest.mark.parametrize(
    ("option", "request_fields"),
    [
        ("--disk-size", {"disk_size": 9 * GIB}),
        ("--data-disk", {"data_disk_size": GIB}),
        ("--variant", {"variant": "ecs"}),
        ("--no-tpm", {"tpm": True}),
    ],
)
def test_what_a_machine_cannot_change_is_refused_with_a_way_out(stopped_machine, option, request_fields):
    error = refused(stopped_machine.store, **request_fields)
    assert error.message.startswith(option)
    assert "pinwheel rm web" in error.hint


def test_another_image_is_refused_for_a_machine_that_has_its_disk(stopped_machine, tmp_path):
    (tmp_path / "other.raw").touch()
    assert refused(stopped_machine.store, image=tmp_path / "other.raw").message.startswith("--image")


@pytest.mark.parametrize(
    ("option", "request_fields"),
    [
        ("--memory", {"memory": 4 * GIB}),
        ("--cpus", {"cpus": 4}),
        ("--publish", {"publish": (PortForward(host=8080, guest=80),)}),
    ],
)
def test_running_machine_is_not_changed(running_machine, option, request_fields):
    error = refused(running_machine.store, **request_fields)
    assert error.message.startswith(option)
    assert "pinwheel stop web" in error.hint


def test_running_machine_is_joined_when_asked_for_as_it_is(running_machine):
    request = RunRequest(name="web", memory=2 * GIB, disk_size=8 * GIB, variant="docker", wait=False)
    launched = launch(request, SilentProgress(), running_machine.store)
    assert not launched.started
    assert launched.machine.is_running()


def test_failure_of_a_machine_that_was_running_before_leaves_it_running(running_machine):
    with pytest.raises(CheckFailed):
        launch(RunRequest(name="web", ready_timeout=0.3), SilentProgress(), running_machine.store)
    assert running_machine.is_running()


def test_too_little_memory_and_no_processor_are_refused(store):
    assert "256M" in refused(store, memory=64 * MIB).hint
    assert "processor" in refused(store, cpus=0).message


def test_missing_image_and_user_data_are_named(store):
    assert "/no/such.raw" in refused(store, image=Path("/no/such.raw")).message
    assert "/no/such.toml" in refused(store, user_data=Path("/no/such.toml")).message


def test_user_data_that_is_no_toml_is_refused_with_its_line(store, tmp_path):
    (tmp_path / "mine.toml").write_text("[settings\n")
    assert "line 1" in refused(store, user_data=tmp_path / "mine.toml").message


def test_bad_settings_are_warnings(running_machine, tmp_path):
    (tmp_path / "mine.toml").write_text("[settings]\nmodt = 'x'\n[settings.docker.remote]\n")
    progress = SilentProgress()
    with pytest.raises(UsageFault):  # --user-data cannot change while it runs
        launch(RunRequest(name="web", user_data=tmp_path / "mine.toml", wait=False), progress, running_machine.store)
    assert any("modt" in warning and "line 2" in warning for warning in progress.warnings)
    assert any("settings.docker.remote is replaced" in warning for warning in progress.warnings)


def test_nothing_is_left_of_a_refused_machine(store):
    refused(store, memory=1)
    assert store.names() == []
