# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Machines appear and vanish as a whole, and one command at a time changes one."""

from pathlib import Path

import pytest

from pinwheel.errors import EnvironmentFault, UsageFault
from pinwheel.machine.record import MachineRecord
from pinwheel.machine.store import MachineStore, write_record


@pytest.fixture
def store(tmp_path: Path) -> MachineStore:
    return MachineStore(tmp_path / "machines")


def add(store: MachineStore, name: str) -> MachineRecord:
    record = MachineRecord(name=name, image="i.raw", docker_port=4711)
    with store.creating(name) as directory:
        write_record(directory, record)
    return record


def test_nothing_is_there_before_the_first_machine(store):
    assert store.names() == []
    assert not store.exists("default")


def test_created_machine_is_listed_and_read(store):
    record = add(store, "b")
    add(store, "a")
    assert store.names() == ["a", "b"]
    assert store.read("b") == record


def interrupted(store: MachineStore, name: str) -> None:
    with store.creating(name) as directory:
        write_record(directory, MachineRecord(name=name, image="i", docker_port=1))
        raise KeyboardInterrupt


def test_machine_whose_making_fails_leaves_nothing(store):
    with pytest.raises(KeyboardInterrupt):
        interrupted(store, "a")
    assert store.names() == []
    assert list(store.root.iterdir()) == []


def test_remains_of_a_crash_are_no_machine_and_are_cleared_away(store):
    remains = store.root / ".new-a"
    remains.mkdir(parents=True)
    (remains / "disk.raw").write_text("half")
    (store.root / "b").mkdir()  # without a record, whatever it is
    assert store.names() == []
    add(store, "a")
    assert store.names() == ["a"]
    assert not (store.directory("a") / "disk.raw").exists()


def test_directory_is_for_its_owner_only(store):
    add(store, "a")
    assert store.directory("a").stat().st_mode & 0o777 == 0o700


def test_unknown_machine_is_refused_naming_the_known_ones(store):
    add(store, "db")
    add(store, "web")
    with pytest.raises(UsageFault, match="'mail'") as caught:
        store.read("mail")
    assert caught.value.hint == "there are: db, web"


def test_damaged_record_is_said_to_be_damaged(store):
    add(store, "a")
    (store.directory("a") / "machine.json").write_text("{")
    with pytest.raises(EnvironmentFault, match="damaged"):
        store.read("a")


def test_removed_machine_is_gone(store):
    add(store, "a")
    store.remove("a")
    assert store.names() == []
    assert list(store.root.iterdir()) == []


def test_second_command_on_the_same_machine_is_refused_until_the_first_is_done(store):
    with store.lock("a"):
        with pytest.raises(UsageFault, match="another pinwheel command"), store.lock("a"):
            pass
        with store.lock("b"):  # another machine is free
            pass
    with store.lock("a"):
        pass


def test_locks_are_no_machines(store):
    with store.lock("a"):
        assert store.names() == []
