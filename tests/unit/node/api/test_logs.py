# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
import time
from typing import Any

import pytest

from pinwheel.api.problem import ApiError
from pinwheel.node.api.handlers.logs import event_text, journal_arguments, json_line, text_line

NOTHING = {"unit": None, "priority": None, "since": None, "lines": 200, "boot": None, "follow": False}
ENTRY = {
    "__REALTIME_TIMESTAMP": "1767225600123456",
    "__CURSOR": "s=ab;i=1",
    "PRIORITY": "4",
    "_SYSTEMD_UNIT": "docker.service",
    "SYSLOG_IDENTIFIER": "dockerd",
    "MESSAGE": "ä line\nand another",
}


def test_parameters_become_options_with_their_values() -> None:
    given = {"unit": ["a.service", "b@c.service"], "priority": "err", "boot": 1, "follow": True}
    assert journal_arguments(NOTHING | given) == [
        "--lines=200", "--unit=a.service", "--unit=b@c.service", "--priority=err", "--boot=-1", "--follow",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["--help", "a b", "*", "a\n", "../x", "x" * 300, ""])
def test_what_is_no_name_of_a_unit_is_refused(name: str) -> None:
    if name == "--help":  # cannot become an option: it is the value of one
        assert "--unit=--help" in journal_arguments(NOTHING | {"unit": [name]})
        return
    with pytest.raises(ApiError, match="no name of a unit"):
        journal_arguments(NOTHING | {"unit": [name]})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01", 1767225600),
        ("2026-01-01T00:00:00Z", 1767225600),
        ("2026-01-01 01:00:00+01:00", 1767225600),
        ("2026-01-01T00:00:00.5Z", 1767225600.5),
        ("0001-01-01", 0),
    ],
)
def test_a_time_is_passed_on_as_seconds(text: str, moment: float) -> None:
    assert f"--since=@{moment:.6f}" in journal_arguments(NOTHING | {"since": text})


def test_a_time_ago_counts_from_now() -> None:
    (option,) = (word for word in journal_arguments(NOTHING | {"since": "2h"}) if word.startswith("--since=@"))
    assert abs(time.time() - 7200 - float(option.removeprefix("--since=@"))) < 5


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "-1h", "1y", "9999999h", "@1"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="no time"):
        journal_arguments(NOTHING | {"since": text})


def test_an_entry_is_one_line_of_json() -> None:
    line = json_line(ENTRY)
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.123456Z",
        "priority": 4,
        "unit": "docker.service",
        "identifier": "dockerd",
        "message": "ä line\nand another",
    }


@pytest.mark.parametrize(
    ("message", "shown"),
    [([104, 105, 255], "hi�"), (None, ""), (["first", "last"], "last"), ("\ud800", "?")],
)
def test_messages_in_all_forms_of_journalctl_are_read(message: Any, shown: str) -> None:
    assert json.loads(json_line(ENTRY | {"MESSAGE": message}))["message"] == shown


def test_an_entry_without_fields_is_still_a_line() -> None:
    assert text_line({"MESSAGE": "x"}).startswith(b"1970-01-01T00:00:00")
    assert text_line({}) == b""
    assert json_line({}) == b""


def test_an_event_has_id_name_and_data() -> None:
    entry = ENTRY | {"PINWHEEL_EVENT": "settings-committed", "PINWHEEL_GENERATION": "7"}
    identifier, event, data, *end = event_text(entry).decode().split("\n")
    assert (identifier, event, end) == ("id: s=ab;i=1", "event: settings-committed", ["", ""])
    assert json.loads(data.removeprefix("data: "))["generation"] == "7"


@pytest.mark.parametrize("name", [None, "", "a\nb", "a\rdata: forged"])
def test_an_entry_without_a_proper_name_is_no_event(name: str | None) -> None:
    assert event_text(ENTRY | ({"PINWHEEL_EVENT": name} if name is not None else {})) == b""
