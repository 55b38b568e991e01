# SPDX-License-Identifier: Apache-2.0 OR MIT
"""systemctl's answers, from a program in its place; the real one is asked in the VM tests."""

import pytest
from tests.support.node_root import program, put

from pinwheel.node.paths import JOURNALCTL, SYSTEMCTL, Paths
from pinwheel.node.units import Health, Systemd, UnitState, illness

QUICK = Health(steady=0.05, give_up_after=0.5, pause=0.01)


def answers(root: Paths, active: str, sub: str = "running", result: str = "success") -> None:
    program(root, SYSTEMCTL, f"echo ActiveState={active}; echo SubState={sub}; echo Result={result}")


def test_a_job_that_succeeds_has_no_words(root: Paths) -> None:
    program(root, SYSTEMCTL, f'echo "$@" >> {root.root}/asked')
    assert Systemd(root).do("try-restart", "a.service") == ""
    assert Systemd(root).enqueue("reboot.target") == ""
    assert root.text("/asked").splitlines() == ["try-restart a.service", "start --no-block reboot.target"]


def test_a_job_that_fails_has_systemctls_words(root: Paths) -> None:
    program(root, SYSTEMCTL, 'echo "Job for a.service failed." >&2; exit 1')
    assert Systemd(root).do("restart", "a.service") == "Job for a.service failed."
    with pytest.raises(OSError, match="cannot read its units"):
        Systemd(root).reload_definitions()


def test_no_systemctl_is_said_so(root: Paths) -> None:
    root.at(SYSTEMCTL).unlink()
    assert "No such file" in Systemd(root).do("restart", "a.service")


def test_the_state_of_a_unit_is_read(root: Paths) -> None:
    answers(root, "failed", "failed", "exit-code")
    assert Systemd(root).state("a.service") == UnitState("failed", "failed", "exit-code")


@pytest.mark.parametrize("active", ["active", "inactive"])
def test_a_unit_that_runs_or_is_not_wanted_is_well(root: Paths, active: str) -> None:
    answers(root, active)
    assert illness(Systemd(root), "a.service", QUICK) == ""


@pytest.mark.parametrize(("active", "sub"), [("failed", "failed"), ("activating", "auto-restart")])
def test_a_unit_that_failed_says_why_with_its_last_lines(root: Paths, active: str, sub: str) -> None:
    answers(root, active, sub, "exit-code")
    program(root, JOURNALCTL, "echo 'the port is taken'")
    assert illness(Systemd(root), "a.service", QUICK) == "a.service failed (exit-code): the port is taken"


def test_a_unit_that_never_arrives_is_given_up(root: Paths) -> None:
    answers(root, "activating", "start")
    assert illness(Systemd(root), "a.service", QUICK) == "a.service is still activating after 0.5 s"


def test_a_unit_that_dies_soon_after_its_start_is_noticed(root: Paths) -> None:
    put(root, "/count", "")
    program(
        root,
        SYSTEMCTL,
        f'echo x >> {root.root}/count; if [ "$(wc -l < {root.root}/count)" -gt 2 ]; then echo ActiveState=failed; '
        "else echo ActiveState=active; fi",
    )
    program(root, JOURNALCTL, "echo died")
    assert "died" in illness(Systemd(root), "a.service", Health(steady=5, give_up_after=10, pause=0.01))
