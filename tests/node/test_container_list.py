# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The list of containers, from an engine that answers on its socket and from host containers' files."""

import http.server
import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.node.api.conftest import actuator, service, units
from tests.node.client.conftest import call
from tests.support.api_service import Service
from tests.support.node_root import Engine, put

from pinwheel.api.client.transport import UnixTransport
from pinwheel.node.container_list import containers
from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.paths import ENGINE_SOCKET, Paths

__all__ = ["actuator", "service", "units"]

IDENTIFIER = "ab" * 32
ONE: dict[str, Any] = {
    "Id": IDENTIFIER,
    "Names": ["/web"],
    "Image": "nginx",
    "State": "running",
    "Status": "Up 2 hours",
    "Labels": {"secret": "x"},
}


class Answers(http.server.BaseHTTPRequestHandler):
    """An engine's list of containers."""

    def do_GET(self) -> None:
        content = json.dumps([ONE]).encode() if self.path == "/containers/json?all=true" else b"OK"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "node"

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def listing_engine(root: Paths) -> Iterator[None]:
    place = root.at(ENGINE_SOCKET)
    place.parent.mkdir(parents=True, exist_ok=True)
    with Engine(os.fspath(place), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield
        server.shutdown()


EXPECTED = {
    "id": IDENTIFIER,
    "name": "web",
    "image": "nginx",
    "state": "running",
    "status": "Up 2 hours",
    "runtime": "engine",
    "unit": f"docker-{IDENTIFIER}.scope",
}


def test_the_engines_containers_are_listed_without_what_is_nobodys_business(root: Paths, listing_engine: None) -> None:
    assert containers(root) == [EXPECTED]


def test_a_silent_engine_has_none(root: Paths) -> None:
    assert containers(root) == []


def test_host_containers_are_listed_as_they_were_set_up(root: Paths) -> None:
    for name in ("admin", "control"):
        container = Container(Kind.HOST, name, f"registry.example/{name}:1", user_data="c2VjcmV0")
        put(root, container.file, container.to_json())
    put(root, f"{places.HOST_DEFINITIONS}broken.json", "{")
    root.at(f"{places.BUNDLES}/host.admin").mkdir(parents=True)
    found = containers(root)
    assert [(one["name"], one["state"], one["runtime"]) for one in found] == [
        ("admin", "running", "host"),
        ("control", "stopped", "host"),
    ]
    assert "c2VjcmV0" not in json.dumps(found)


def test_the_api_lists_them(service: Service, listing_engine: None) -> None:
    assert service.ask("GET", "/containers").json == [EXPECTED]


def test_the_client_shows_them_as_a_table(
    service: Service, listing_engine: None, capfd: pytest.CaptureFixture[str]
) -> None:
    done = call(capfd, UnixTransport(str(service.path)), "containers")
    assert done.out.splitlines() == ["NAME  IMAGE  STATUS      RUNTIME", "web   nginx  Up 2 hours  engine"]
