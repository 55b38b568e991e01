# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The declarations and the page that is written from them."""

import tomllib
from pathlib import Path

import pytest
import tomli_w

from pinwheel.settings.model import walk
from pinwheel.settings.reference import toml_value, type_name, with_reference
from pinwheel.settings.tree import Settings
from pinwheel.settings.user_data import parse_user_data

PAGE = Path(__file__).parents[3] / "docs" / "user-data.md"
ENTRIES = {".".join(entry.path): entry for entry in walk(Settings)}


def test_the_page_is_current():
    page = PAGE.read_text()
    assert page == with_reference(page, Settings), "write it anew: pinwheel.settings.reference.with_reference"


@pytest.mark.parametrize("name", ENTRIES)
def test_every_setting_is_described(name):
    entry = ENTRIES[name]
    assert entry.field.description
    assert entry.note("allowed") or type_name(entry.field.annotation) in ("choice", "true or false")


@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "docker.remote.enabled"])
def test_every_example_is_valid(name):
    entry = ENTRIES[name]
    document = entry.example
    for key in reversed(("settings", *entry.path)):
        document = {key: document}
    assert parse_user_data(tomli_w.dumps(document))[1] == []


@pytest.mark.parametrize("value", [1, True, "a\nb", [], {}, ["x"], {"a.b": [{"c": False}]}])
def test_examples_are_written_as_toml(value):
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="marks"):
        with_reference("# page", Settings)
