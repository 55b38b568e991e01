# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
from typing import Any

import pytest
from tests.node.actuator.conftest import Actuator

from pinwheel.node import paths as places
from pinwheel.node.actuator.client import ActuatorFailed
from pinwheel.node.actuator.protocol import (
    Apply,
    Author,
    Change,
    Check,
    Commit,
    Confirm,
    DiffGenerations,
    ListGenerations,
    Revert,
    Rollback,
    ShowGeneration,
)

AUTHOR = Author(kind="local", uid=1000, pid=77)
TIMESYNCD = "systemd-timesyncd.service"
PROXY = "http://user:hunter2@proxy.example.com:3128"


def commit(patch: dict[str, Any], **options: Any) -> Commit:
    return Commit(Change(patch), AUTHOR, **options)


def view(actuator: Actuator) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(actuator.paths.at(places.VIEW).read_text())
    return content


def refused(actuator: Actuator, request: Any) -> ActuatorFailed:
    with pytest.raises(ActuatorFailed) as caught:
        actuator.ask(request)
    return caught.value


def test_a_commit_makes_a_generation_renders_and_restarts_only_what_reads_it(actuator: Actuator) -> None:
    answer = actuator.ask(commit({"ntp": {"time-servers": ["ntp.example.com"]}}))
    assert answer["generation"] == 1
    assert answer["changes"] == [{"path": "settings.ntp.time-servers", "old": None, "new": ["ntp.example.com"]}]
    assert (answer["services"], answer["units"], answer["applied"]) == (["ntp"], [TIMESYNCD], True)
    assert actuator.units.done == [("try-restart", TIMESYNCD)]
    assert "NTP=ntp.example.com" in actuator.paths.at(places.TIMESYNCD).read_text()
    generation = actuator.store.get(1)
    assert (generation.author, generation.changes) == (AUTHOR, ["settings.ntp.time-servers"])
    assert view(actuator)["settings"]["ntp"]["time-servers"] == ["ntp.example.com"]


def test_a_commit_that_changes_nothing_makes_no_generation_and_restarts_nothing(actuator: Actuator) -> None:
    actuator.ask(commit({"ntp": {"time-servers": ["ntp.example.com"]}}))
    before = actuator.units.done.copy()
    answer = actuator.ask(commit({"ntp": {"time-servers": ["ntp.example.com"]}}))
    assert (answer["generation"], answer["changes"]) == (1, [])
    assert actuator.store.numbers() == [1]
    assert actuator.units.done == before


def test_the_message_of_the_day_restarts_nothing(actuator: Actuator) -> None:
    answer = actuator.ask(commit({"motd": "hello"}))
    assert answer["units"] == []
    assert actuator.units.done == []
    assert actuator.paths.at(places.MOTD).read_text() == "hello\n"


def test_all_problems_come_at_once_and_nothing_changes(actuator: Actuator) -> None:
    failure = refused(actuator, commit({"ntp": {"time-servers": ["a b"]}, "network": {"hostnam": "x"}, "motd": 3}))
    assert failure.status == 400
    assert {problem["path"] for problem in failure.problems} == {
        "settings.ntp.time-servers[0]",
        "settings.network.hostnam",
        "settings.motd",
    }
    assert all(problem["hint"] for problem in failure.problems)
    assert actuator.store.numbers() == []
    assert actuator.paths.at(places.MOTD).read_text() == "Welcome to Pinwheel!\n"


def test_a_unit_that_is_not_well_brings_the_old_settings_back(actuator: Actuator) -> None:
    actuator.ask(commit({"ntp": {"time-servers": ["good.example.com"]}}))
    actuator.units.ill[TIMESYNCD] = 1
    failure = refused(actuator, commit({"ntp": {"time-servers": ["bad.example.com"]}}))
    assert failure.status == 409
    assert f"{TIMESYNCD} said why" in failure.message
    assert "good.example.com" in actuator.paths.at(places.TIMESYNCD).read_text()
    current = actuator.store.current()
    assert current is not None
    assert current.settings == {"ntp": {"time-servers": ["good.example.com"]}}
    assert current.reason == "generation 2 did not work"
    assert actuator.store.get(2).settings == {"ntp": {"time-servers": ["bad.example.com"]}}
    assert view(actuator)["generation"] == 3
    assert actuator.ask(commit({"motd": "still works"}))["applied"]


def test_a_value_that_the_kernel_refuses_is_taken_back(actuator: Actuator) -> None:
    failure = refused(actuator, commit({"kernel": {"sysctl": {"vm.none_such": "1"}}}))
    assert failure.status == 409
    assert failure.problems[0]["path"] == 'settings.kernel.sysctl."vm.none_such"'
    current = actuator.store.current()
    assert current is not None
    assert current.settings == {}


def test_a_dry_run_says_what_would_happen_and_does_nothing(actuator: Actuator) -> None:
    answer = actuator.ask(commit({"ntp": {"time-servers": ["ntp.example.com"]}}, dry_run=True))
    assert (answer["applied"], answer["units"]) == (False, [TIMESYNCD])
    assert actuator.store.numbers() == []
    assert not actuator.paths.at(places.TIMESYNCD).exists()


def test_a_commit_without_apply_takes_effect_with_the_next_apply(actuator: Actuator) -> None:
    assert not actuator.ask(commit({"motd": "later"}, apply=False))["applied"]
    assert view(actuator)["settings"]["motd"] == "later"
    actuator.ask(Apply(["settings.ntp"]))
    assert actuator.paths.at(places.MOTD).read_text() == "Welcome to Pinwheel!\n"
    actuator.ask(Apply())
    assert actuator.paths.at(places.MOTD).read_text() == "later\n"


def test_unset_brings_the_default_back(actuator: Actuator) -> None:
    actuator.ask(commit({"ntp": {"time-servers": ["ntp.example.com"]}}))
    answer = actuator.ask(Commit(Change(unset=["settings.ntp.time-servers"]), AUTHOR))
    assert answer["changes"] == [{"path": "settings.ntp.time-servers", "old": ["ntp.example.com"], "new": None}]
    assert not actuator.paths.at(places.TIMESYNCD).exists()


def test_unset_of_what_is_not_set_is_not_found(actuator: Actuator) -> None:
    assert refused(actuator, Commit(Change(unset=["settings.motd"]), AUTHOR)).status == 404
    assert refused(actuator, Commit(Change(unset=["settings..motd"]), AUTHOR)).status == 400


def test_secrets_are_kept_and_shown_nowhere(actuator: Actuator) -> None:
    answer = actuator.ask(commit({"network": {"https-proxy": PROXY}}))
    assert actuator.store.get(1).settings == {"network": {"https-proxy": PROXY}}
    shown = [answer, view(actuator), actuator.ask(ShowGeneration(1)), actuator.ask(DiffGenerations(1, 1))]
    assert "hunter2" not in json.dumps(shown)


def test_a_secret_given_back_as_it_is_shown_stays_what_it_is(actuator: Actuator) -> None:
    actuator.ask(commit({"network": {"https-proxy": PROXY}}))
    shown = view(actuator)["set"]
    answer = actuator.ask(Commit(Change(shown | {"motd": "edited"}, replace=True), AUTHOR))
    assert [change["path"] for change in answer["changes"]] == ["settings.motd"]
    assert actuator.store.get(2).settings["network"] == {"https-proxy": PROXY}


def test_rollback_is_a_new_generation_with_the_old_settings(actuator: Actuator) -> None:
    actuator.ask(commit({"motd": "one"}))
    actuator.ask(commit({"motd": "two"}))
    answer = actuator.ask(Rollback(1, AUTHOR))
    assert answer["generation"] == 3
    assert actuator.paths.at(places.MOTD).read_text() == "one\n"
    listed = actuator.ask(ListGenerations())
    assert [generation["reason"] for generation in listed["generations"]] == ["rollback to 1", "set", "set"]
    assert listed["current"] == 3
    assert refused(actuator, Rollback(99, AUTHOR)).status == 404


def test_the_difference_of_two_generations(actuator: Actuator) -> None:
    actuator.ask(commit({"motd": "one"}))
    actuator.ask(commit({"motd": "two"}))
    assert actuator.ask(DiffGenerations(1, 2)) == [{"path": "settings.motd", "old": "one", "new": "two"}]


def test_a_trial_is_taken_back_and_leaves_the_settings_before(actuator: Actuator) -> None:
    actuator.ask(commit({"motd": "before"}))
    actuator.ask(commit({"motd": "tried"}, try_seconds=60))
    assert actuator.paths.at(places.MOTD).read_text() == "tried\n"
    assert "OnActiveSec=60s" in actuator.paths.at(places.TRIAL_TIMER).read_text()
    assert view(actuator)["trial"]["generation"] == 2
    assert refused(actuator, commit({"motd": "beside"})).status == 409
    actuator.ask(Revert(AUTHOR))
    assert actuator.paths.at(places.MOTD).read_text() == "before\n"
    assert view(actuator)["trial"] is None
    assert not actuator.paths.at(places.TRIAL_TIMER).exists()
    assert refused(actuator, Revert(AUTHOR)).status == 409


def test_a_trial_that_is_confirmed_stays(actuator: Actuator) -> None:
    actuator.ask(commit({"motd": "tried"}, try_seconds=60))
    actuator.ask(Confirm(AUTHOR))
    current = actuator.store.current()
    assert current is not None
    assert (current.settings, current.trial) == ({"motd": "tried"}, False)
    assert view(actuator)["trial"] is None
    assert refused(actuator, Confirm(AUTHOR)).status == 409


def test_a_trial_that_does_not_work_ends_at_once(actuator: Actuator) -> None:
    actuator.ask(commit({"motd": "before"}))
    actuator.units.ill[TIMESYNCD] = 1
    assert refused(actuator, commit({"ntp": {"time-servers": ["bad.example.com"]}}, try_seconds=60)).status == 409
    assert not actuator.paths.at(places.TRIAL_TIMER).exists()
    current = actuator.store.current()
    assert current is not None
    assert current.settings == {"motd": "before"}
    assert actuator.ask(commit({"motd": "after"}))["applied"]


def test_check_looks_at_the_model_only(actuator: Actuator) -> None:
    assert actuator.ask(Check(Change({"motd": "x"})))["changes"] == [{"path": "settings.motd", "old": None, "new": "x"}]
    assert refused(actuator, Check(Change({"motd": []}))).status == 400
    assert actuator.store.numbers() == []


def test_what_was_bad_before_does_not_stand_in_the_way_of_a_change(actuator: Actuator) -> None:
    from pinwheel.node.generations.generation import Draft

    actuator.store.add(Draft(AUTHOR, "an older version", {"motd": "x", "gone-in-this-version": 1}), 0)
    assert actuator.ask(commit({"motd": "y"}))["applied"]
    assert refused(actuator, commit({"motd": 5})).status == 400
