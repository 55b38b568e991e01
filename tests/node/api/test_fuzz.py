# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Requests that schemathesis makes up from the API's own description, right ones and wrong ones, to a whole node.

Every answer must be one that the description has: status, media type, body. What the description calls wrong must be
refused; what it calls right may be refused all the same, for settings have rules that no schema says.
`./pinwheel test fuzz` does the same for long.
"""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import tomli_w
from hypothesis import HealthCheck, Phase, settings
from requests.adapters import HTTPAdapter
from schemathesis.checks import (
    negative_data_rejection,
    not_a_server_error,
    positive_data_acceptance,
    response_schema_conformance,
)
from tests.node.actuator.conftest import Actuator
from tests.support.api_service import Service
from tests.support.node_root import program
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from pinwheel.cli.test import EXAMPLES_VARIABLE
from pinwheel.paths import PROJECT

SHORT = 8
"""Examples of each operation in an ordinary test run."""
EXAMPLES = int(os.environ.get(EXAMPLES_VARIABLE, SHORT))
SCHEMA = schemathesis.openapi.from_dict(json.loads((PROJECT / "docs/openapi.json").read_text()))
EXPECTED_FAILURES = {501, 503}
"""Server errors that say what they mean."""
HEAD_TOO_LARGE = 431
"""A refusal too, which schemathesis does not count as one."""


class _Connection(HTTPConnection):
    path: Path

    def _new_conn(self) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(30)
        channel.connect(os.fspath(self.path))
        return channel


class _Adapter(HTTPAdapter):
    """Sends every request to one unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        kind = type("Connection", (_Connection,), {"path": path})
        self._pool = HTTPConnectionPool("localhost")
        self._pool.ConnectionCls = kind

    def get_connection_with_tls_context(self, *_arguments: Any, **_options: Any) -> HTTPConnectionPool:
        return self._pool


@schemathesis.serializer("application/toml")
def toml(_context: Any, value: Any) -> bytes:
    """Write what TOML can hold; the rest is no TOML, and must be refused."""
    try:
        return tomli_w.dumps(value).encode()
    except (TypeError, AttributeError):
        return repr(value).encode(errors="replace")


@pytest.fixture
def session(service: Service, actuator: Actuator) -> Iterator[requests.Session]:
    program(actuator.paths, "/usr/bin/journalctl", """echo '{"MESSAGE": "x", "PINWHEEL_EVENT": "y"}'""")
    with requests.Session() as session:
        session.mount("http://", _Adapter(service.path))
        yield session


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
def test_every_answer_is_one_that_the_description_has(case: Any, session: requests.Session) -> None:
    response = case.call(base_url="http://localhost", session=session)
    excluded = [positive_data_acceptance]
    if response.status_code in EXPECTED_FAILURES:
        excluded.append(not_a_server_error)
    if response.status_code == HEAD_TOO_LARGE or _has_lists(case):
        excluded.append(negative_data_rejection)
    if case.operation.label == "GET /settings":
        excluded.append(response_schema_conformance)  # it cannot read prefixItems; test_settings.py looks itself
    case.validate_response(response, excluded_checks=excluded)


def _has_lists(case: Any) -> bool:
    """Say whether a parameter is a list: a wrong item with a comma in it is sent as two that may be right."""
    return any(parameter.definition["schema"].get("type") == "array" for parameter in case.operation.query)


def test_the_node_is_sane_afterwards(service: Service) -> None:
    assert service.ask("GET", "/settings").status == 200
