# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The declarations and the page that is written from them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from msgspec import NODEFAULT

from pinwheel.settings.changes import merge
from pinwheel.settings.reference import rows, toml_value, type_name, with_reference
from pinwheel.settings.tree import Settings
from pinwheel.settings.user_data import parse_user_data

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"
ENTRIES = {name.removeprefix("settings."): entry for entry, name in rows(Settings)}
BOND = {"kind": "bond", "mode": "active-backup", "interfaces": ["eth0", "eth1"]}
LACP = BOND | {"mode": "802.3ad", "monitoring": {"miimon-frequency-ms": 1}}
ARP = BOND | {"monitoring": {"arpmon-interval-ms": 1, "arpmon-targets": ["192.0.2.1"]}}
REMOTE = {key: ENTRIES[f"docker.remote.{key}"].example for key in ("client-ca", "server-certificate", "server-key")}
CONTEXTS: dict[str, list[dict[str, Any]]] = {
    "api.remote": [{"client-ca": REMOTE["client-ca"]}],
    "docker.remote": [REMOTE],
    "health-checks.NAME": [{"http": "http://localhost/"}, {"container": "a", "command": ["b"]}],
    "pki.NAME": [{"data": REMOTE["client-ca"]}],
    "network.interfaces.NAME": [LACP, ARP, {"kind": "vlan", "device": "a", "id": 1}],
}
"""What must be set beside some examples: one of these."""


def test_the_page_is_current():
    page = PAGE.read_text()
    assert page == with_reference(page, Settings), "write it anew: pinwheel.settings.reference.with_reference"


@pytest.mark.parametrize("name", ENTRIES)
def test_every_setting_is_described(name):
    entry = ENTRIES[name]
    kind = type_name(entry.field.annotation)
    assert entry.field.description.endswith(".")
    assert entry.example is not None
    assert entry.note("allowed") or kind in ("choice", "true or false", "table")


@pytest.mark.parametrize("name", ENTRIES)
def test_every_example_is_valid(name):
    around = [
        {},
        *(in_tables(place, beside) for place in CONTEXTS if name.startswith(place) for beside in CONTEXTS[place]),
    ]
    inside = [in_tables(name, ENTRIES[name].example, required_only=only) for only in (False, True)]
    documents = [merge(Settings, context, document) for context in around for document in inside]
    assert [] in [parse_user_data(tomli_w.dumps({"settings": document}))[1] for document in documents]


def in_tables(name: str, value: Any, *, required_only: bool = False) -> Any:
    """Put a value where it belongs; an item of a list has the list's example around it, or what it needs."""
    above, _, key = name.rpartition(".")
    if key.endswith("[]"):
        key = key.removesuffix("[]")
        entry = ENTRIES[f"{above}.{key}"]
        needed = {inner for inner, item in entry.below().items() if item.field.default is NODEFAULT}
        beside = {inner: beside for inner, beside in entry.example[0].items() if inner in needed or not required_only}
        value = [beside | value]
    return in_tables(above, {key: value}, required_only=required_only) if above else {key: value}


@pytest.mark.parametrize("value", [1, True, "a\nb", [], {}, ["x"], {"a.b": [{"c": False}]}])
def test_examples_are_written_as_toml(value):
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="marks"):
        with_reference("# page", Settings)
