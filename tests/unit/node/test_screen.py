# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the console shows for a status document."""

import pytest

from pinwheel.node.screen import changed, status_line, status_screen

STATUS = {
    "schema": 1,
    "ready": True,
    "reasons": [],
    "version": "0.1.0",
    "variant": "docker",
    "slot": "a",
    "root_hash": "0123456789abcdef" * 4,
    "kernel": "6.12.0",
    "hostname": "node-1",
    "addresses": ["10.0.2.15", "fd00::15"],
    "secure_boot": True,
    "user_data": {"source": "credential", "problems": []},
    "docker": {"remote": {"port": 2376}},
    "api": {"remote": None, "fingerprint": ""},
    "uptime_seconds": 12.5,
}
PROBLEM = {"code": "unknown-key", "path": "settings.x", "line": 7, "message": "unknown key", "hint": "it is ignored"}
NOT_READY = STATUS | {"ready": False, "reasons": ["the network is not up", "unit a.service has failed"]}


def test_ready_line_is_one_that_programs_can_read():
    assert status_line(STATUS) == (
        f"pinwheel: ready version=0.1.0 variant=docker slot=a root-hash={'0123456789abcdef' * 4} "
        "addresses=10.0.2.15,fd00::15"
    )


def test_line_of_a_node_that_is_not_ready_names_all_reasons():
    assert status_line(NOT_READY) == "pinwheel: not ready: the network is not up; unit a.service has failed"


def test_screen_says_everything_that_a_person_at_the_console_needs():
    screen = status_screen(NOT_READY | {"user_data": {"source": "disk", "problems": [PROBLEM]}}, "hello\nworld\n")
    for text in (
        "0.1.0 (docker), slot a",
        "0123456789abcdef, secure boot on",
        "6.12.0",
        "node-1",
        "10.0.2.15, fd00::15",
        "not ready",
        "- unit a.service has failed",
        "from disk, 1 problem:",
        "- line 7: settings.x: unknown key (it is ignored)",
        "Docker API over TLS at 10.0.2.15:2376, [fd00::15]:2376",
        "  hello\n  world",
    ):
        assert text in screen


def test_screen_of_a_node_without_a_port_says_how_to_get_one():
    screen = status_screen(STATUS | {"docker": {"remote": None}, "user_data": {"source": "none", "problems": []}}, "")
    assert "no port is open: give user data to open the Docker API" in screen
    assert "none found" in screen


def test_screen_has_the_fingerprint_by_which_clients_know_the_node():
    api = {"remote": {"port": 8443}, "fingerprint": f"sha256:{'ab' * 32}"}
    screen = status_screen(STATUS | {"api": api}, "")
    assert "  reach it   Docker API over TLS at 10.0.2.15:2376, [fd00::15]:2376\n" in screen
    assert "\n             API over TLS at 10.0.2.15:8443, [fd00::15]:8443\n" in screen
    assert f"\n             the API's certificate: sha256:{'ab' * 32}\n" in screen


@pytest.mark.parametrize("change", [{"ready": False}, {"addresses": []}, {"hostname": "other"}])
def test_changes_that_matter_are_shown_again(change):
    assert changed(STATUS, STATUS | change)
    assert not changed(STATUS, STATUS | {"uptime_seconds": 99.0})
    assert changed({}, STATUS)
