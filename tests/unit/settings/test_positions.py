# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The scanner of lines, against documents that `tomllib` reads and against any text at all."""

import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.settings.positions import MAX_DEPTH, NestingError, line_of, positions

KEYS = st.text(max_size=8)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TOML_ALPHABET = st.text(st.sampled_from(list("ab1.=[]{},#\"'\\ \n\r\t_-é")), max_size=60)


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    children: Iterable[tuple[str | int, Any]] = ()
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths_of(child, (*path, key))


def test_keys_of_tables_have_their_lines():
    found = positions("a = 1\n\n[b]\n# note\nc = 2\n[b.d]\ne = 3\n")
    assert found == {("a",): 1, ("b",): 3, ("b", "c"): 5, ("b", "d"): 6, ("b", "d", "e"): 7}


def test_dotted_and_quoted_keys_are_taken_apart():
    found = positions('a . "b.c" . \'d\' = 1\n["x\\u0041".y]\nz=1')
    assert found["a", "b.c", "d"] == 1
    assert found["xA", "y", "z"] == 3


def test_arrays_of_tables_are_counted():
    found = positions("[[a]]\nx = 1\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n[[a]]\nx = 2\n[a.c]\nz = 1\n[[a.b]]\ny = 3")
    assert found["a", 0, "x"] == 2
    assert found["a", 0, "b", 1, "y"] == 6
    assert found["a", 1] == 7
    assert found["a", 1, "c", "z"] == 10
    assert found["a", 1, "b", 0, "y"] == 12


def test_a_key_named_like_its_table_in_an_array_of_tables():
    found = positions("[[a]]\n[a.b.a]\nx = 1")
    assert found["a", 0, "b", "a", "x"] == 3


def test_items_of_a_list_over_several_lines():
    found = positions('a = [ # first\n "x", # a "quoted" note ]\n\n [1, 2],\n {k = "]"},\n]\nb = 1')
    assert [found["a", index] for index in range(3)] == [2, 4, 5]
    assert found["a", 2, "k"] == 5
    assert found["b",] == 7


def test_an_inline_table_has_its_line():
    found = positions('x = 0\na = { b = { c = 1 }, "d e" = [1], f.g = 2 }\nh = 1')
    assert {found[path] for path in paths_of({"a": {"b": {"c": 1}, "d e": [1], "f": {"g": 2}}})} == {2}
    assert found["h",] == 3


@pytest.mark.parametrize(
    "value",
    [
        '"""one\n[two]\n three = "" ""\\""" """',
        "'''one\n[two]\n'' three'''",
        '"""one"""""',
        '"[x]\\" # \\\\"',
        "'\\'",
        "1979-05-27 07:32:00Z",
        "[]",
        "{}",
        "[[], {}, [ ] ]",
    ],
)
def test_what_follows_any_value_keeps_its_line(value):
    text = f"a = {value} # note\nlast = 1\n"
    assert tomllib.loads(text)["last"] == 1
    assert positions(text)["last",] == text.count("\n")


def test_the_nearest_place_stands_in_for_one_that_is_not_there():
    found = positions("[a]\nb = 1")
    assert line_of(found, ["a", "b", 5, "c"]) == 2
    assert line_of(found, ["a", "z"]) == 1
    assert line_of(found, ["z"]) == 0


@pytest.mark.parametrize(
    "text", [".".join("a" * (MAX_DEPTH + 1)) + " = 1", "a = " + "[" * 100_000, "a = " + "{a=" * 500]
)
def test_absurd_depth_is_refused(text):
    with pytest.raises(NestingError):
        positions(text)


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans())
def test_every_path_of_a_valid_document_has_a_line(document, multiline):
    text = tomli_w.dumps(document, multiline_strings=multiline)
    found = positions(text)
    expected = set(paths_of(tomllib.loads(text)))
    assert set(found) == expected
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@given(st.text(max_size=80) | TOML_ALPHABET)
def test_no_text_upsets_the_scanner(text):
    positions(text)


@given(TOML_ALPHABET)
def test_whatever_tomllib_reads_has_all_its_lines(text):
    text = text.replace("\r\n", "\n")
    try:
        document = tomllib.loads(text)
    except ValueError:
        return
    assert set(positions(text)) == set(paths_of(document))
