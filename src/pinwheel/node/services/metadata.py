# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The table of consumers as the API shows it: Bottlerocket's services, configuration files, affected services."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pinwheel.node.services.service import Service

_SECRET_MODE, _MODE = "0600", "0644"


def services(table: Iterable[Service]) -> dict[str, Any]:
    """Give each service's configuration files, by the names of `configuration_files`, and its restart commands."""
    return {
        service.name: {
            "configuration-files": [file_name(path) for path in service.owned],
            "restart-commands": [["systemctl", action.verb, action.unit] for action in service.restart],
        }
        for service in table
    }


def configuration_files(table: Iterable[Service]) -> dict[str, Any]:
    """Give where each file is, and its mode; a path that ends in "/" is a directory whose files are rendered."""
    return {
        file_name(path): {"path": path, "mode": _SECRET_MODE if path in service.secret else _MODE}
        for service in table
        for path in service.owned
    }


def affected(table: Sequence[Service]) -> dict[str, list[str]]:
    """Give, for each prefix that a service reads, all services that a change below it affects.

    A key of the settings is affected as its nearest prefix here says, and a table as all of the prefixes below it too.
    """
    readers: dict[str, list[str]] = {}
    for service in table:
        for prefix in service.settings:
            readers.setdefault(prefix, []).append(service.name)
    order = {service.name: number for number, service in enumerate(table)}
    return {
        f"settings.{prefix}": sorted(_with_those_above(prefix, readers), key=order.__getitem__)
        for prefix in sorted(readers)
    }


def file_name(path: str) -> str:
    """Give a name for a file that is short, and no other file's: `docker-daemon-json`."""
    parts = PurePosixPath(path).parts[2:]  # all of them are below /run
    return "-".join(parts[1:] if parts[0] == "pinwheel" else parts).replace(".", "-")


def _with_those_above(prefix: str, readers: Mapping[str, Iterable[str]]) -> set[str]:
    names = prefix.split(".")
    return {reader for depth in range(len(names)) for reader in readers.get(".".join(names[: depth + 1]), ())}
