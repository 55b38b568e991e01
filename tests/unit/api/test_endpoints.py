# SPDX-License-Identifier: Apache-2.0 OR MIT
import re
from collections import Counter
from pathlib import Path

import pytest

from pinwheel.api import types
from pinwheel.api.endpoint import Endpoint, find
from pinwheel.api.endpoints import ENDPOINTS, REPORTS
from pinwheel.api.problem import STATUSES
from pinwheel.node.api.app import HANDLERS

BOTTLEROCKET = """
GET / | GET /settings | PATCH /settings | PATCH /settings/keypair | GET /tx | DELETE /tx | GET /tx/list
POST /tx/commit | POST /tx/apply | POST /tx/commit_and_apply | GET /os | GET /metadata/affected-services
GET /metadata/setting-generators | GET /metadata/templates | GET /services | GET /configuration-files
POST /actions/reboot | POST /actions/refresh-updates
POST /actions/prepare-update | POST /actions/activate-update | POST /actions/deactivate-update | GET /updates/status
POST /actions/ephemeral-storage/init | POST /actions/ephemeral-storage/bind | GET /actions/ephemeral-storage/list-disks
GET /actions/ephemeral-storage/list-dirs | GET /exec | GET /report | GET /report/cis | GET /report/fips
POST /network/configure
"""
OURS = """
DELETE /settings | POST /settings/apply | GET /settings/schema | GET /settings/diff | GET /settings/generations
GET /settings/generations/{number} | GET /settings/generations/{number}/diff
POST /settings/generations/{number}/rollback
POST /settings/try/confirm | POST /settings/try/revert | GET /status | GET /logs | GET /metrics | GET /events
GET /openapi.json | GET /containers | POST /support-bundle | POST /actions/poweroff
"""


def listed(text: str) -> set[str]:
    return {entry.strip() for line in text.splitlines() for entry in line.split("|") if entry.strip()}


def test_the_table_has_every_endpoint_of_bottlerocket_and_those_beyond() -> None:
    assert {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS} == listed(BOTTLEROCKET) | listed(OURS)


def test_names_and_requests_are_there_once() -> None:
    assert max(Counter(endpoint.name for endpoint in ENDPOINTS).values()) == 1
    assert max(Counter((endpoint.method, endpoint.path) for endpoint in ENDPOINTS).values()) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_what_an_endpoint_names_is_there(endpoint: Endpoint) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", endpoint.name)
    for answer in endpoint.answers:
        assert not answer.type or types.named(answer.type)
    assert not endpoint.body or types.named(endpoint.body.type)
    assert set(endpoint.errors) <= set(STATUSES)
    assert endpoint.summary[0].isupper()
    assert not endpoint.summary.endswith(".")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint_has_a_handler_unless_it_comes_later(endpoint: Endpoint) -> None:
    (module,) = [name for name, functions in HANDLERS.items() if endpoint.name in functions] or [""]
    assert bool(module) != bool(endpoint.later)
    if module:
        source = Path(__file__).parents[3] / f"src/pinwheel/node/api/handlers/{module}.py"
        assert f"\nasync def {endpoint.name}(node: Node, " in source.read_text().replace("_node: Node", "node: Node")


def test_changing_settings_is_for_admins() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.path.startswith(("/settings", "/tx")) and endpoint.method != "GET":
            gives_no_right = endpoint.name in {"confirm_trial", "revert_trial", "apply_transaction"}
            assert endpoint.role == ("operator" if gives_no_right else "admin"), endpoint.name
        if endpoint.method != "GET":
            assert endpoint.role != "reader", endpoint.name


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/settings", {"get_settings", "patch_settings", "delete_settings"}),
        ("/settings/", set()),
        ("/settings/generations/7", {"get_generation"}),
        ("/settings/generations/07/diff", {"diff_generation"}),
        ("/settings/generations/-7", set()),
        ("/settings/generations/", set()),
        ("/settings/generations/{number}", set()),
        ("/settings/generations/12345678901", set()),
        ("/settings/generations/٣", set()),
        ("//settings", set()),
        ("", set()),
    ],
)
def test_a_path_leads_to_its_endpoints(path: str, names: set[str]) -> None:
    assert {endpoint.name for endpoint, _ in find(ENDPOINTS, path)} == names


def test_reports_that_do_not_work_yet_are_not_listed() -> None:
    assert not set(REPORTS) & {"cis", "fips"}
