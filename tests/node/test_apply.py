# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Settings put into effect below a temporary root, by consumers of the test's own."""

from collections.abc import Callable

import pytest
from tests.support.node_root import put as put_file
from tests.support.units import RecordingUnits

from pinwheel.node.apply import ApplyError, RefusedError, check, execute, plan
from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import Paths
from pinwheel.node.services.service import Service, UnitAction
from pinwheel.node.units import Health
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings

QUICK = Health(steady=0.0, pause=0.01)
OLD, NEW = Settings(motd="old"), Settings(motd="new")


def service(name: str = "one", path: str = "/run/one", **parts: object) -> Service:
    return Service(
        name=name,
        settings=("motd",),
        owned=(path,),
        render=lambda settings: {path: RenderedFile(settings.motd.encode())},
        restart=(UnitAction(f"{name}.service", "try-restart"),),
        by_default=True,
    )._replace(**parts)  # type: ignore[arg-type]


def failing(message: str) -> Callable[..., list[Problem]]:
    return lambda *_arguments: [Problem("no", "settings.motd", 0, message, "")]


def test_only_what_differs_from_the_disk_is_planned(root: Paths) -> None:
    put_file(root, "/run/one", "new").chmod(0o644)
    planned = plan(root, [service(), service("two", "/run/two")], NEW, NEW)
    assert list(planned.files) == ["/run/two"]
    assert [action.unit for action in planned.actions] == ["two.service"]


def test_a_file_of_another_mode_is_put_right(root: Paths) -> None:
    put_file(root, "/run/one", "new").chmod(0o600)
    assert list(plan(root, [service()], NEW, NEW).files) == ["/run/one"]


def test_what_is_not_rendered_any_more_goes_and_other_files_stay(root: Paths) -> None:
    put_file(root, "/run/own/old", "x")
    put_file(root, "/run/other", "x")
    owner = service(owned=("/run/own/",), render=lambda _settings: {"/run/own/kept": RenderedFile(b"1")})
    execute(root, plan(root, [owner], OLD, NEW), OLD, NEW, RecordingUnits(), health=QUICK)
    assert not root.at("/run/own/old").exists()
    assert root.at("/run/own/kept").exists()
    assert root.at("/run/other").exists()


def test_all_objections_come_together_and_nothing_is_written(root: Paths) -> None:
    services = [service(check=failing("a")), service("two", "/run/two", check=failing("b"))]
    planned = plan(root, services, OLD, NEW)
    with pytest.raises(RefusedError) as caught:
        check(root, planned, NEW)
    assert [problem.message for problem in caught.value.problems] == ["a", "b"]
    assert not root.at("/run/one").exists()


def test_a_consumer_whose_files_stay_is_not_asked(root: Paths) -> None:
    put_file(root, "/run/one", "new").chmod(0o644)
    check(root, plan(root, [service(check=failing("a"))], OLD, NEW), NEW)


def test_a_unit_that_fails_has_every_file_put_back_and_is_restarted(root: Paths) -> None:
    put_file(root, "/run/one", "old").chmod(0o640)
    units = RecordingUnits()
    units.ill["two.service"] = 1
    planned = plan(root, [service(), service("two", "/run/two")], OLD, NEW)
    with pytest.raises(ApplyError) as caught:
        execute(root, planned, OLD, NEW, units, health=QUICK)
    assert "two.service said why" in str(caught.value)
    assert caught.value.left == ""
    assert root.at("/run/one").read_text() == "old"
    assert root.at("/run/one").stat().st_mode & 0o777 == 0o640
    assert not root.at("/run/two").exists()
    assert units.done == [("try-restart", unit) for unit in 2 * ["one.service", "two.service"]]


def test_what_is_activated_is_taken_back_with_both_settings_exchanged(root: Paths) -> None:
    calls: list[tuple[str, str]] = []

    def activate(_paths: Paths, old: Settings, new: Settings) -> list[Problem]:
        calls.append((old.motd, new.motd))
        return [Problem("no", "settings.motd", 0, "not this", "")] if new.motd == "new" else []

    with pytest.raises(ApplyError) as caught:
        execute(root, plan(root, [service(activate=activate)], OLD, NEW), OLD, NEW, RecordingUnits(), health=QUICK)
    assert [problem.message for problem in caught.value.problems] == ["not this"]
    assert calls == [("old", "new"), ("new", "old")]


def test_units_of_a_file_that_is_a_unit_are_read_again_first(root: Paths) -> None:
    units = RecordingUnits()
    unit_file = service(path="/run/systemd/system/x.service")
    execute(root, plan(root, [unit_file], OLD, NEW), OLD, NEW, units, health=QUICK)
    assert units.done == [("daemon-reload", ""), ("try-restart", "one.service")]


def test_a_file_that_cannot_be_written_leaves_the_others_as_they_were(root: Paths) -> None:
    put_file(root, "/run/one", "old").chmod(0o644)
    put_file(root, "/run/blocked", "a file where a directory is needed")
    services = [service(), service("two", "/run/blocked/two")]
    with pytest.raises((ApplyError, OSError)):
        execute(root, plan(root, services, OLD, NEW), OLD, NEW, RecordingUnits(), health=QUICK)
    assert root.at("/run/one").read_text() == "old"
