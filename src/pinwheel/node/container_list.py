# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which containers there are: those of the engine, as it says, and host containers, as they were set up."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pinwheel.api.client.failure import ApiFailed
from pinwheel.api.client.http import Client
from pinwheel.api.client.transport import UnixTransport
from pinwheel.node.containers import places
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.paths import ENGINE_SOCKET, Paths

ENGINE_LIST = "/containers/json?all=true"
"""Docker Engine API 1.45, `ContainerList`."""
ENGINE_SECONDS = 5.0
"""How long the engine may think about it."""
Listed = dict[str, Any]


def containers(paths: Paths) -> list[Listed]:
    """Give all containers that run or have run: `pinwheel.api.types.Container`; the engine's if it answers."""
    return [*_host_containers(paths), *_engine_containers(paths)]


def _engine_containers(paths: Paths) -> list[Listed]:
    with suppress(ApiFailed):
        found = Client(UnixTransport(str(paths.at(ENGINE_SOCKET))), patience=ENGINE_SECONDS).get(ENGINE_LIST)
        return [_from_engine(one) for one in found]
    return []


def _from_engine(one: Mapping[str, Any]) -> Listed:
    identifier, names = str(one["Id"]), one.get("Names") or []
    return {
        "id": identifier,
        "name": str(names[0]).lstrip("/") if names else identifier[:12],
        "image": str(one.get("Image", "")),
        "state": str(one.get("State", "")),
        "status": str(one.get("Status", "")),
        "runtime": "engine",
        "unit": f"docker-{identifier}.scope",
    }


def _host_containers(paths: Paths) -> list[Listed]:
    listed = []
    for file in sorted(paths.at(places.HOST_DEFINITIONS).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):  # being changed at this moment
            listed.append(_from_definition(paths, json.loads(file.read_text())))
    return listed


def _from_definition(paths: Paths, definition: Mapping[str, Any]) -> Listed:
    container = Container(Kind.HOST, str(definition["name"]), str(definition["source"]))
    running = paths.at(container.bundle).exists()
    return {
        "id": container.id,
        "name": container.name,
        "image": container.source,
        "state": "running" if running else "stopped",
        "status": "",
        "runtime": "host",
        "unit": container.unit,
    }
