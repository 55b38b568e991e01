# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the node says about itself, from its status lines or its console."""

import json

from pinwheel.machine.node_status import latest_status, ready_from_console

BOOTING = {"schema": 1, "ready": False, "reasons": ["the engine does not answer"]}
PROBLEM = {"code": "bad-value", "path": "settings.motd", "line": 3, "message": "is no text", "hint": "using none"}
READY = {
    "schema": 1, "ready": True, "reasons": [], "version": "0.1.0", "variant": "docker", "slot": "a", "root_hash": "ab",
    "kernel": "6.12", "hostname": "web", "addresses": ["10.0.2.15"], "secure_boot": True, "uptime_seconds": 9.5,
    "user_data": {"source": "credential", "problems": [PROBLEM]}, "docker": {"remote": {"port": 2376}},
}  # fmt: skip


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def test_last_line_counts():
    status = latest_status(lines(BOOTING, READY))
    assert status is not None
    assert status.ready
    assert status.addresses == ["10.0.2.15"]
    assert str(status.user_data.problems[0]) == "user data line 3: settings.motd: is no text (using none)"
    relapsed = latest_status(lines(READY, BOOTING))
    assert relapsed is not None
    assert relapsed.reasons == ["the engine does not answer"]


def test_line_that_is_still_being_written_is_left_alone():
    status = latest_status(lines(BOOTING) + lines(READY)[:-20])
    assert status is not None
    assert not status.ready


def test_nothing_readable_is_no_status():
    assert latest_status(b"") is None
    assert latest_status(b"\xff{}\n[1]\n") is None


def test_what_is_unknown_here_is_kept_for_programs():
    status = latest_status(lines(READY))
    assert status is not None
    assert status.model_dump(mode="json", by_alias=True)["docker"] == {"remote": {"port": 2376}}


def test_ready_line_of_the_console_stands_in_for_a_status():
    console = "boot\npinwheel: ready version=0.1.0 variant=docker slot=b root-hash=abc addresses=10.0.2.15,fd00::5\n"
    status = ready_from_console(console)
    assert status is not None
    assert (status.ready, status.version, status.slot, status.root_hash) == (True, "0.1.0", "b", "abc")
    assert status.addresses == ["10.0.2.15", "fd00::5"]
    assert ready_from_console("pinwheel: not ready: no engine\n") is None
