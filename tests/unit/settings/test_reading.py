# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Plain values to settings: what falls with a mistake, and the words that say why."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from msgspec import Meta, field

from pinwheel.settings.model import Check, Conflict, Namespace, dump, prefixes, setting, walk
from pinwheel.settings.reading import read
from pinwheel.settings.secret import HIDDEN, Secret


class Pair(Namespace, frozen=True, array_like=True):
    """A table that is written as a list."""

    name: str
    size: int


def _table_of_bool(value: object) -> object:
    return {"on": value} if isinstance(value, bool) else value


class Switch(Namespace, frozen=True):
    """A table that is written as true or false, too."""

    on: Annotated[bool, setting("Whether.", example=True)] = True
    token: Annotated[Secret | None, setting("A secret.", example="x")] = None
    words: Annotated[dict[str, Annotated[int, Meta(ge=0)]], setting("Free keys.", example={})] = field(
        default_factory=dict
    )


class Needs(Namespace, frozen=True):
    """A table that cannot be without one of its values."""

    this: Annotated[int, setting("Needed.", example=1)]


class Model(Namespace, frozen=True):
    """What the tests read."""

    least: Annotated[int, Meta(ge=3), setting("At least 3.", example=3, reboot=True)] = 3
    most: Annotated[int, Meta(le=9), setting("At most 9.", example=3)] = 3
    few: Annotated[list[str], Meta(max_length=2), setting("Two.", example=[])] = field(default_factory=list)
    one: Annotated[list[str], Meta(min_length=1, max_length=1), setting("One.", example=["a"])] = field(
        default_factory=lambda: ["x"]
    )
    pairs: Annotated[list[Pair], setting("Pairs.", example=[["a", 1]])] = field(default_factory=list)
    switch: Annotated[
        Annotated[Switch, Check(_table_of_bool, accepts='{"type": "boolean"}')] | None,
        setting("A switch.", example=True, reboot=True),
    ] = None
    needs: Annotated[Needs | None, setting("A table.", example={"this": 1})] = None
    switches: Annotated[dict[str, Switch], setting("Free keys.", example={}, later=True)] = field(default_factory=dict)
    free: Annotated[dict[str, Any], setting("Anything.", example={})] = field(default_factory=dict)

    def conflicts(self) -> Iterator[Conflict]:
        """Only one switch may be on."""
        on = sorted(name for name, switch in self.switches.items() if switch.on)
        yield from ((("switches", name), f"{on[0]} is on already") for name in on[1:])


def messages(document: dict[str, Any]) -> dict[str, str]:
    return {".".join(map(str, mistake.path)): mistake.message for mistake in read(Model, document)[1]}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("least", 2, "must be a whole number of at least 3, not 2"),
        ("most", 10, "must be a whole number of at most 9, not 10"),
        ("few", ["a", "b", "c"], "must have at most 2 items"),
        ("one", [], "must have from 1 to 1 item"),
        ("switch", 5, "must be a table"),
        ("switches", 5, "must be a table"),
    ],
)
def test_messages_have_the_limits_there_are(key, value, words):
    assert messages({key: value}) == {key: words}


def test_a_table_may_be_written_as_a_list():
    settings, mistakes = read(Model, {"pairs": [["a", 1], ["b", 2]]})
    assert (settings.pairs, mistakes) == ([Pair("a", 1), Pair("b", 2)], [])
    assert dump(settings)["pairs"] == [["a", 1], ["b", 2]]
    assert messages({"pairs": [["a"]]}) == {"pairs.0": "must be a list of name, size"}
    assert messages({"pairs": [["a", "b"]]}) == {"pairs.0.size": 'must be a whole number, not "b"'}


def test_a_table_may_be_written_as_a_value_that_means_one():
    assert read(Model, {"switch": False})[0].switch == Switch(on=False)
    assert read(Model, {"switch": {"token": "x"}})[0].switch == Switch(token=Secret("x"))
    assert read(Model, {})[0].switch is None


def test_a_table_without_what_it_needs_falls_as_a_whole():
    settings, mistakes = read(Model, {"needs": {}, "least": 4})
    assert (settings.needs, settings.least) == (None, 4)
    assert [(mistake.path, mistake.message) for mistake in mistakes] == [(("needs",), '"this" is missing')]
    assert read(Model, {"needs": {"this": 2, "that": 1}})[0].needs == Needs(2)


def test_each_entry_of_a_table_with_free_keys_is_good_or_bad_as_a_whole():
    document = {"switches": {"a": {"on": 5}, "b": {"words": {"x": -1}}, "c": {"on": False, "words": {"x": 1}, "y": 1}}}
    settings, mistakes = read(Model, document)
    assert settings.switches == {"c": Switch(on=False, words={"x": 1})}
    assert [mistake.path for mistake in mistakes] == [
        ("switches", "a", "on"),
        ("switches", "b", "words", "x"),
        ("switches", "c", "y"),
    ]


def test_a_conflict_between_entries_costs_one_of_them():
    document: dict[str, Any] = {"switches": {"b": {}, "a": True, "c": {"on": False}, "d": {}}}
    document["switches"]["a"] = {}
    settings, mistakes = read(Model, document)
    assert sorted(settings.switches) == ["a", "c"]
    assert [(mistake.path, mistake.message) for mistake in mistakes] == [
        (("switches", "b"), "a is on already"),
        (("switches", "d"), "a is on already"),
    ]


def test_what_is_shown_for_a_secret_is_not_taken_for_one():
    assert messages({"switch": {"token": HIDDEN}}) == {
        "switch.token": "must be the secret itself, not what is shown in its place"
    }


def test_all_declared_paths_are_listed():
    assert list(prefixes(Model))[-6:] == [
        ("switch", "token"),
        ("switch", "words"),
        ("needs",),
        ("needs", "this"),
        ("switches",),
        ("free",),
    ]


def test_what_is_said_of_a_table_holds_for_all_below_it():
    entries = {".".join(entry.path): entry for entry in walk(Model)}
    assert [path for path, entry in entries.items() if entry.reboot] == [
        "least",
        "switch.on",
        "switch.token",
        "switch.words",
    ]
    assert [path for path, entry in entries.items() if entry.later] == [
        "switches",
        "switches.NAME.on",
        "switches.NAME.token",
        "switches.NAME.words",
    ]
