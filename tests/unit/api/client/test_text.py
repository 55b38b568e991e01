# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.text import (
    change_lines,
    clean,
    commit_lines,
    failure_lines,
    human_duration,
    pairs,
    pretty,
    table,
)


@given(st.text(st.characters()))
def test_no_text_of_a_node_commands_a_terminal(text: str) -> None:
    assert not {unicodedata.category(one) for one in clean(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.dictionaries(st.text(), st.text()))
def test_json_for_people_is_the_same_json_and_commands_no_terminal(value: dict[str, str]) -> None:
    assert json.loads(pretty(value)) == value
    assert not {"\x1b", "\x9b", "\x7f", "\u202e"} & set(pretty(value))


def test_a_table_is_as_wide_as_its_content() -> None:
    assert table(("A", "LONGER"), [("x" * 5, 1), ("y", 2)]) == ["A      LONGER", "xxxxx  1", "y      2"]
    assert table(("A", "B"), []) == ["A  B"]


def test_pairs_leave_out_what_is_empty() -> None:
    assert pairs([("long name", 1), ("b", ""), ("c", None), ("d", 0)]) == ["long name  1", "d          0"]


def test_changes_say_what_is_new_gone_or_other() -> None:
    changes: list[dict[str, Any]] = [
        {"path": "settings.a", "old": None, "new": 1},
        {"path": "settings.b", "old": [1], "new": None},
        {"path": "settings.c", "old": "x", "new": "y"},
        {"path": "settings.d", "old": False, "new": "z" * 500},
    ]
    lines = change_lines(changes)
    assert lines[:3] == ["+ settings.a = 1", "- settings.b = [1]", '~ settings.c = "x" -> "y"']
    assert len(lines[3]) < 300


COMMIT = {
    "generation": 7,
    "changes": [{"path": "settings.motd", "old": None, "new": "hi"}],
    "units": ["a.service"],
    "reboot": ["settings.boot"],
}


def test_a_commit_says_what_it_did_or_would_do() -> None:
    head = ['+ settings.motd = "hi"']
    boot = "After the next boot: settings.boot"
    done = [*head, "Restarted: a.service", boot, "Generation 7 is in effect."]
    assert commit_lines(COMMIT) == done
    would = [*head, "Would restart: a.service", boot, "Checked only: nothing has been changed."]
    assert commit_lines(COMMIT, dry_run=True) == would
    assert commit_lines(COMMIT, try_seconds=60)[-1] == "It is on trial for 1 min: keep it with `try confirm`."
    assert commit_lines({"generation": 7, "changes": []}) == ["Nothing to change: generation 7 has it all."]
    assert commit_lines({"generation": 8}) == ["Generation 8 is in effect."]


def problem(message: str, **fields: object) -> dict[str, object]:
    return {"code": "bad", "path": "", "line": 0, "message": message, "hint": "", **fields}


def test_a_failure_lists_all_problems_with_place_and_hint() -> None:
    problems = [problem("not a number", path="settings.a", line=3, hint="write 1"), problem("too long", line=9)]
    assert failure_lines(ApiFailed("2 problems", problems)) == [
        "error: 2 problems",
        "  settings.a (line 3): not a number",
        "    hint: write 1",
        "  line 9: too long",
    ]


def test_a_failure_with_one_problem_that_says_the_same_says_it_once() -> None:
    failure = ApiFailed("no such thing", [problem("no such thing", hint="look again")], hint="or give up")
    assert failure_lines(failure) == ["error: no such thing", "    hint: look again", " hint: or give up"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90000, "1 d 1 h")]
)
def test_a_time_is_said_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text
