# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The JSON Schema of the settings, held against the reader by the library that others would use."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import Draft202012Validator
from tests.support.documents import documents

from pinwheel.settings.model import dump
from pinwheel.settings.reading import read
from pinwheel.settings.reference import rows
from pinwheel.settings.schema import settings_schema
from pinwheel.settings.tree import Settings

SCHEMA = settings_schema(Settings)
VALIDATOR = Draft202012Validator(SCHEMA)
ENTRIES = {name.removeprefix("settings."): entry for entry, name in rows(Settings)}


def at(name: str) -> dict[str, Any]:
    """Give the schema of one setting, by the name that the reference has for it."""
    found = SCHEMA
    for key in name.split("."):
        found = found["additionalProperties"] if key == "NAME" else _inside(found)["properties"][key.removesuffix("[]")]
        found = found["items"] if key.endswith("[]") else found
    return found


def _inside(schema: dict[str, Any]) -> dict[str, Any]:
    return next((choice for choice in schema.get("anyOf", []) if "properties" in choice), schema)


def is_valid(schema: dict[str, Any], value: object) -> bool:
    return Draft202012Validator(schema).is_valid(value)


def test_the_schema_is_one():
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_setting_is_in_the_schema_with_all_that_is_declared(name):
    entry, schema = ENTRIES[name], at(name)
    assert schema["description"] == entry.field.description
    assert schema.get("x-unit", "") == entry.note("unit")
    assert schema.get("x-allowed", "") == entry.note("allowed")
    assert bool(schema.get("x-reboot")) == entry.reboot
    assert bool(schema.get("x-later")) == entry.later
    assert is_valid(schema, entry.example)
    assert "default" not in schema or is_valid(schema, schema["default"])


def test_the_defaults_are_valid():
    VALIDATOR.validate(dump(Settings()))
    VALIDATOR.validate({})


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(documents(Settings))
def test_what_is_read_without_mistake_is_valid(document):
    found, mistakes = read(Settings, document)
    assert mistakes or VALIDATOR.is_valid(document)
    VALIDATOR.validate(dump(found))


@pytest.mark.parametrize(
    "document",
    [
        {"moto": "x"},
        {"motd": 5},
        {"docker": {"log-driver": "x"}},
        {"docker": {"remote": {"port": 0}}},
        {"docker": {"default-address-pools": [{"base": "10.0.0.0/8"}]}},
        {"network": {"hosts": [["192.0.2.1"]]}},
        {"network": {"interfaces": {"eth0": {"dhcp4": "yes"}}}},
        {"container-registry": {"mirrors": [{"registry": "docker.io", "endpoint": []}]}},
        {"oci-defaults": {"resource-limits": {"max-open-files": {"soft-limit": "some", "hard-limit": 1}}}},
    ],
)
def test_what_the_reader_refuses_for_its_type_the_schema_refuses(document):
    assert read(Settings, document)[1]
    assert not VALIDATOR.is_valid(document)


def test_secrets_are_marked():
    for name in ("docker.remote.server-key", "container-registry.credentials[].password"):
        assert at(name)["writeOnly"]
        assert at(name)["x-secret"]
