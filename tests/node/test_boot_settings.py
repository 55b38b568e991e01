# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which settings a node boots with: generations, user data, and what the two make together."""

import json
import threading
from pathlib import Path
from typing import Any

import tomli_w
from tests.support.certificates import Authority
from tests.support.node_root import workstation_openssl
from tests.support.units import RecordingUnits

from pinwheel.node import paths as places
from pinwheel.node.actuator.protocol import Author
from pinwheel.node.boot_settings import configure
from pinwheel.node.generations.generation import Draft
from pinwheel.node.paths import Paths
from pinwheel.node.system import System, this_system
from pinwheel.node.user_data.find import Found

NOTHING = Found("none", b"")
AUTHOR = Author(kind="local", uid=0)


def given(**settings: object) -> Found:
    return Found("credential", tomli_w.dumps({"settings": settings}).encode())


def changed(system: System, **settings: Any) -> None:
    """Change settings as the API does."""
    current = system.store.current()
    document = (current.settings if current else {}) | settings
    user_data = current.user_data if current else ""
    system.store.add(Draft(AUTHOR, "set", document, user_data=user_data), current.number if current else 0)


def motd(root: Paths) -> str:
    return root.text(places.MOTD)


def test_without_user_data_there_is_no_generation(root: Paths) -> None:
    configure(this_system(root), NOTHING)
    assert this_system(root).store.numbers() == []
    assert motd(root) == "Welcome to Pinwheel!"


def test_user_data_becomes_the_first_generation(root: Paths) -> None:
    configure(this_system(root), given(motd="hello"))
    current = this_system(root).store.current()
    assert current is not None
    assert (current.number, current.settings, current.author.kind) == (1, {"motd": "hello"}, "user-data")
    assert current.author.name == "credential"
    assert current.changes == ["settings.motd"]


def test_the_same_user_data_is_taken_once_and_later_changes_stay(root: Paths) -> None:
    system = this_system(root)
    configure(system, given(motd="hello"))
    changed(system, motd="changed")
    configure(system, given(motd="hello"))
    assert motd(root) == "changed"
    assert system.store.numbers() == [1, 2]


def test_new_user_data_is_merged_over_what_is_there(root: Paths) -> None:
    system = this_system(root)
    configure(system, given(motd="hello"))
    changed(system, ntp={"time-servers": ["ntp.example.com"]})
    configure(system, given(motd="another"))
    assert motd(root) == "another"
    assert "ntp.example.com" in root.text(places.TIMESYNCD)


def test_user_data_that_is_gone_leaves_the_settings(root: Paths) -> None:
    system = this_system(root)
    configure(system, given(motd="hello"))
    configure(system, NOTHING)
    assert motd(root) == "hello"


def test_only_the_good_part_of_user_data_is_kept(root: Paths) -> None:
    problems = configure(this_system(root), given(motd="hello", ntp={"time-servers": ["a b"]}))
    current = this_system(root).store.current()
    assert current is not None
    assert current.settings == {"motd": "hello", "ntp": {}} or current.settings == {"motd": "hello"}
    assert [problem.path for problem in problems] == ["settings.ntp.time-servers[0]"]


def test_a_trial_is_over_after_a_reboot(root: Paths) -> None:
    system = this_system(root)
    configure(system, given(motd="hello"))
    system.store.add(Draft(AUTHOR, "try", {"motd": "tried"}, trial=True), 1)
    configure(system, given(motd="hello"))
    assert motd(root) == "hello"


def test_a_stored_value_that_this_version_does_not_know_is_told_and_stays_stored(root: Paths) -> None:
    system = this_system(root)
    changed(system, motd="hello", newer={"thing": 1})
    (problem,) = configure(system, NOTHING)
    assert (problem.code, problem.path) == ("bad-stored-value", "settings.newer")
    current = system.store.current()
    assert current is not None
    assert current.settings["newer"] == {"thing": 1}


def test_a_damaged_generation_is_told_and_the_one_before_it_used(root: Paths) -> None:
    system = this_system(root)
    changed(system, motd="good")
    changed(system, motd="newest")
    root.at(f"{places.GENERATIONS}/0000000002.json").write_bytes(b"\0" * 100)
    (problem,) = configure(system, NOTHING)
    assert problem.code == "damaged"
    assert motd(root) == "good"


def test_without_a_data_partition_user_data_still_counts(root: Paths) -> None:
    configure(this_system(root), given(motd="hello"), has_data=False)
    assert motd(root) == "hello"
    assert not root.at(places.GENERATIONS).exists()


def test_the_view_has_what_is_in_effect_without_secrets(root: Paths) -> None:
    configure(this_system(root), given(network={"https-proxy": "http://u:hunter2@proxy.example.com:1"}))
    text = root.text(places.VIEW)
    assert "hunter2" not in text
    view = json.loads(text)
    assert (view["generation"], view["in_effect"]) == (1, 1)
    assert view["settings"]["motd"] == "Welcome to Pinwheel!"
    assert root.at(places.VIEW).stat().st_mode & 0o777 == 0o640


def test_no_program_is_started_for_a_boot_without_settings(root: Paths) -> None:
    root.at(places.SYSTEMCTL).unlink()
    assert configure(this_system(root), NOTHING) == []


def test_engine_may_start_before_what_it_does_not_need_and_units_are_not_read_again(
    root: Paths, tmp_path: Path
) -> None:
    workstation_openssl(root)
    units, seen = RecordingUnits(), []
    system = this_system(root)._replace(units=lambda _paths: units)

    def start_engine() -> None:
        seen.append((root.at(places.DAEMON_JSON).exists(), root.at(places.API_CERTIFICATE).exists(), list(units.done)))

    remote = {"enabled": True, "client-ca": Authority(tmp_path).encoded}
    assert configure(system, given(api={"remote": remote}), start_engine=start_engine) == []
    assert seen == [(True, False, [])]
    assert root.at(places.API_CERTIFICATE).exists()
    assert root.at(places.API_SOCKET_SETTINGS).exists()
    assert units.done == [("restart --no-block", "pinwheel-api-remote.socket")]


def test_change_waits_until_all_of_the_boots_settings_have_taken_effect(root: Paths) -> None:
    system, order = this_system(root), []

    def change() -> None:
        with system.store.lock():
            order.append("change")

    changing = threading.Thread(target=change)

    def start_engine() -> None:
        changing.start()
        changing.join(0.2)
        order.append("engine")

    configure(system, given(motd="hello"), start_engine=start_engine)
    changing.join()
    assert order == ["engine", "change"]
