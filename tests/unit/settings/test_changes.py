# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Documents merged, unset, compared and selected, held to what must be true of all that hypothesis makes."""

import copy
from typing import Annotated, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import field
from tests.support.documents import KEYS, documents, values

from pinwheel.settings.changes import Change, diff, merge, parse_path, replace, select, unset, value_at
from pinwheel.settings.documents import MAX_DEPTH, DepthError, hide_secrets, normal
from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.problem import path_text
from pinwheel.settings.secret import HIDDEN, Secret


class Login(Namespace, frozen=True):
    """How somebody logs in."""

    user: Annotated[str, setting("Who.", example="me")]
    password: Annotated[Secret | None, setting("Secret.", example="hunter2")] = None


class Inner(Namespace, frozen=True):
    """A table."""

    on: Annotated[bool, setting("Whether.", example=True)] = False
    size: Annotated[int, setting("How much.", example=3)] = 1


class Model(Namespace, frozen=True):
    """Every kind of setting there is."""

    word: Annotated[str, setting("A text.", example="x")] = ""
    token: Annotated[Secret | None, setting("A secret.", example="hunter2")] = None
    names: Annotated[list[str], setting("A list.", example=["a"])] = field(default_factory=list)
    inner: Annotated[Inner, setting("A table.", example={})] = Inner()
    entries: Annotated[dict[str, Inner], setting("Free keys.", example={})] = field(default_factory=dict)
    options: Annotated[dict[str, Any], setting("Anything.", example={})] = field(default_factory=dict)
    logins: Annotated[list[Login], setting("Tables with secrets.", example=[])] = field(default_factory=list)


DOCUMENTS = documents(Model, most=7).map(lambda document: normal(Model, document))
PATCHES = documents(Model) | st.dictionaries(KEYS, values(dict[str, Any]) | st.none())


@given(DOCUMENTS, PATCHES)
def test_merging_twice_is_merging_once(base, patch):
    before = copy.deepcopy((base, patch))
    once = merge(Model, base, patch)
    assert merge(Model, once, patch) == once
    assert (base, patch) == before


@given(DOCUMENTS, DOCUMENTS)
def test_what_the_patch_sets_is_set_and_the_rest_stays(base, patch):
    merged = merge(Model, base, patch)
    assert merge(Model, merged, patch) == merged
    assert set(merged) == set(base) | set(patch)
    for key in set(base) - set(patch):
        assert merged[key] == base[key]


@given(DOCUMENTS)
def test_merging_nothing_or_itself_changes_nothing(document):
    assert merge(Model, document, {}) == merge(Model, document, document) == document
    assert merge(Model, {}, document) == document
    assert replace(Model, {"word": "old"}, document) == document


@given(DOCUMENTS, st.lists(KEYS | st.sampled_from(["inner", "on", "options"]), min_size=1, max_size=4).map(tuple))
def test_unset_is_the_inverse_of_setting_what_was_not_set(document, path):
    for end in range(1, len(path)):
        try:
            assume(value_at(document, path[:end]) not in ({}, None))
            assume(isinstance(value_at(document, path[:end]), dict))
        except KeyError:
            break
    assume(not select(document, [path]))
    merged = merge(Model, document, nested(path, "new"))
    assert value_at(merged, path) == "new"
    assert unset(merged, path) == document


def nested(path: tuple[str, ...], value: object) -> Any:
    return {path[0]: nested(path[1:], value)} if path else value


@given(DOCUMENTS, DOCUMENTS)
def test_difference_is_empty_just_when_both_are_equal(old, new):
    assert diff(Model, old, old) == diff(Model, new, new) == []
    assert bool(diff(Model, old, new)) == (repr(sorted(leaves(old).items())) != repr(sorted(leaves(new).items())))


def leaves(document: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(document, dict) and document:
        return {leaf: value for key in document for leaf, value in leaves(document[key], (*path, key)).items()}
    return {path: document} if path else {}


def without_secrets(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("token", "logins")}


@given(DOCUMENTS.map(without_secrets), DOCUMENTS.map(without_secrets))
def test_difference_applied_to_the_old_gives_the_new(old, new):
    result = leaves(old)
    for change in diff(Model, old, new):
        assert change.old is None or result.pop(change.path) == change.old
        if change.new is not None:
            result[change.path] = change.new
    assert result == leaves(new)


@given(st.dictionaries(st.sampled_from(["token", "tokn", "logins"]), st.just("hunter2") | values(list[Login])))
def test_no_secret_is_in_a_difference(document):
    document["logins"] = [{"user": "me", "password": "hunter2", "pasword": "hunter2"}]
    document["unknown"] = {"password": "hunter2"}
    shown = repr([*diff(Model, {}, document), *diff(Model, document, {}), hide_secrets(Model, document)])
    assert "hunter2" not in shown
    assert "'user', 'me'" in shown or "'user': 'me'" in shown


def test_a_changed_secret_is_a_change_that_shows_nothing():
    assert diff(Model, {"token": "a"}, {"token": "b"}) == [Change(("token",), HIDDEN, HIDDEN)]


def test_difference_is_by_value_and_lists_are_one():
    old = {"names": ["a"], "entries": {"x": {"on": True}}, "options": {"n": 1}}
    new = {"names": ["a", "b"], "entries": {"x": {"on": True, "size": 2}}, "options": {"n": True}}
    assert diff(Model, old, new) == [
        Change(("entries", "x", "size"), None, 2),
        Change(("names",), ["a"], ["a", "b"]),
        Change(("options", "n"), 1, True),
    ]


def test_null_unsets_and_takes_empty_tables_along():
    base = {"word": "x", "inner": {"on": True}, "entries": {"a": {"size": 1}}}
    assert merge(Model, base, {"word": None, "inner": {"on": None}, "entries": {"a": {"size": None}}}) == {}


def test_bare_tables_set_nothing_but_named_entries_and_free_values_stay():
    patch: dict[str, Any] = {"inner": {}, "entries": {"a": {}}, "options": {"b": {}}}
    assert merge(Model, {}, patch) == {"entries": {"a": {}}, "options": {"b": {}}}
    assert merge(Model, {}, {"options": {}, "entries": {}}) == {}


def test_what_is_shown_can_be_edited_and_given_back():
    base = {"token": "hunter2", "logins": [{"user": "me", "password": "hunter2"}], "word": "x"}
    shown = hide_secrets(Model, base)
    assert merge(Model, base, shown | {"word": "y"}) == base | {"word": "y"}
    assert replace(Model, base, {"token": HIDDEN}) == {"token": "hunter2"}
    assert merge(Model, {}, {"token": HIDDEN}) == {"token": HIDDEN}  # which reading refuses


def test_a_replacement_is_the_whole_document():
    assert replace(Model, {"word": "x", "inner": {"on": True}}, {"inner": {"size": 2}}) == {"inner": {"size": 2}}


def test_unset_takes_empty_tables_along_and_says_when_nothing_is_there():
    document = {"inner": {"on": True}, "entries": {"a": {"size": 1}, "b": {}}}
    assert unset(document, ("inner", "on")) == {"entries": document["entries"]}
    assert unset(document, ("entries", "a")) == {"inner": {"on": True}, "entries": {"b": {}}}
    assert unset(document, ()) == {}
    for path in (("word",), ("inner", "size"), ("inner", "on", "deeper")):
        with pytest.raises(KeyError):
            unset(document, path)


def test_select_gives_the_parts_where_they_were():
    document = {"inner": {"on": True, "size": 1}, "word": "x", "entries": {"a.b": {"on": True}}}
    assert select(document, [()]) == document
    assert select(document, [("inner", "on"), ("word",)]) == {"inner": {"on": True}, "word": "x"}
    assert select(document, [("entries", "a.b")]) == {"entries": {"a.b": {"on": True}}}
    assert select(document, [("inn",), ("entries", "x"), ("word", "x")]) == {}
    assert select(document, [("inn",), ("entries", "a")], partial=True) == {
        "inner": {"on": True, "size": 1},
        "entries": {"a.b": {"on": True}},
    }


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("settings", ()),
        ("settings.docker.log-driver", ("docker", "log-driver")),
        ("docker.log-driver", ("docker", "log-driver")),
        ('settings.docker.log-opts."max-size"', ("docker", "log-opts", "max-size")),
        ('kernel.sysctl."vm.max_map_count"', ("kernel", "sysctl", "vm.max_map_count")),
        ("kernel.sysctl.'vm.a'", ("kernel", "sysctl", "vm.a")),
        ('a."x\\"\\u0041"', ("a", 'x"A')),
        ("a.''", ("a", "")),
    ],
)
def test_paths_are_read(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a b", 'a."b', 'a."b"c', '"\\x"', '"a\nb"', "a[0]", "é", "a" * 2000, "a\n"]
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="not a path"):
        parse_path(text)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=8).map(tuple))
def test_a_path_that_was_written_is_read_back(path):
    assert parse_path(path_text(["settings", *path])) == path


def test_patches_of_absurd_depth_are_refused():
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = {"a": [deep]}
    for function in (merge, replace):
        with pytest.raises(DepthError, match="deep"):
            function(Model, {}, {"options": deep})
