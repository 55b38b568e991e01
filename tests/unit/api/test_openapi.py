# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

from pinwheel import __version__
from pinwheel.api import types
from pinwheel.api.endpoints import ENDPOINTS
from pinwheel.api.openapi import openapi, text
from pinwheel.api.reference import with_reference
from pinwheel.image.api_description import OPENAPI, SCHEMA, write_api_description

DOCS = Path(__file__).parents[3] / "docs"
REWRITE = "python -m pinwheel.api writes docs/openapi.json and docs/api.md anew"


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for item in value for found in references(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {found for item in value.values() for found in references(item)}


def test_the_committed_description_is_what_the_code_says() -> None:
    assert (DOCS / "openapi.json").read_text() == text(openapi(version=__version__)), REWRITE


def test_the_committed_page_is_what_the_code_says() -> None:
    page = (DOCS / "api.md").read_text()
    assert page == with_reference(page), REWRITE


def test_the_image_has_the_committed_description(tmp_path: Path) -> None:
    write_api_description(tmp_path)
    assert (tmp_path / OPENAPI).read_bytes() == (DOCS / "openapi.json").read_bytes()
    assert json.loads((tmp_path / SCHEMA).read_bytes())["type"] == "object"


def test_every_reference_leads_somewhere() -> None:
    document = openapi()
    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_every_operation_says_who_may_and_how_it_can_fail() -> None:
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            assert operation["x-pinwheel-role"] in {"reader", "operator", "admin"}
            assert {"400", "403", "500"} <= set(operation["responses"]), (method, path)


def test_what_comes_later_answers_501_and_nothing_good() -> None:
    document = openapi()
    for endpoint in ENDPOINTS:
        responses = document["paths"][endpoint.path][endpoint.method.lower()]["responses"]
        assert ("501" in responses) == bool(endpoint.later)
        assert any(status < "300" for status in responses) != bool(endpoint.later)


@pytest.mark.parametrize(
    "example",
    [
        types.Failure("no", [types.Problem("bad-value", "not a host name", "settings.ntp.time-servers[1]")]),
        types.Commit(7, [types.Change("settings.motd", "a", None)], trial=types.Trial(7, "2026-01-01T00:00:00Z")),
        types.History(1, [types.Generation(1, 0, "2026-01-01T00:00:00Z", types.Author("local", uid=0), "set")]),
        types.Model({"motd": "x"}, os=types.Os("Pinwheel", "docker", "0.1.0", "ab", "x86_64")),
    ],
    ids=lambda example: type(example).__name__,
)
def test_a_type_fits_its_schema(example: msgspec.Struct) -> None:
    document = openapi()
    schema = {"$ref": f"#/components/schemas/{type(example).__name__}", "components": document["components"]}
    Draft202012Validator(schema).validate(msgspec.to_builtins(example))
