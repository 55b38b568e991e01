# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is in effect: read from the view, nobody else is asked."""

import os
from typing import Any

from pinwheel.api.problem import ApiError, one, problem
from pinwheel.node import paths as places
from pinwheel.node.api.message import Asked, Response, answer_json, generation_header
from pinwheel.node.api.node import SCHEMA, Node

Path = tuple[str, ...]


async def get_model(node: Node, asked: Asked) -> Response:
    """Everything, or what begins with a prefix."""
    view = node.view.read()
    model = {
        "settings": view.all_settings,
        "services": view.content["services"],
        "configuration-files": view.content["configuration_files"],
        "os": os_facts(node),
    }
    prefix = asked.parameters["prefix"]
    if prefix:
        path = _path(prefix, "prefix")
        path = ("settings", *path) if prefix.partition(".")[0] == "settings" else path
        model = _begins_with(model, path)
    return answer_json(model, headers=generation_header(view.generation))


async def get_settings(node: Node, asked: Asked) -> Response:
    """All settings, those of some keys, or those that begin with a prefix."""
    view = node.view.read()
    keys, prefix, only_set = (asked.parameters[name] for name in ("keys", "prefix", "set"))
    if not (keys or prefix or only_set):
        return view.settings
    if keys and prefix:
        raise one(400, "bad-parameter", "either `keys` or `prefix`", path="prefix")
    settings = view.what_is_set if only_set else view.all_settings
    if keys:
        settings = _of_keys(settings, keys)
    elif prefix:
        settings = _begins_with(settings, _path(prefix, "prefix"))
    return answer_json(settings, headers=generation_header(view.generation))


async def get_schema(node: Node, _asked: Asked) -> Response:
    """The settings as JSON Schema, as it was written at the image's build."""
    return Response(200, node.paths.at(SCHEMA).read_bytes())


async def get_os(node: Node, asked: Asked) -> Response:
    """Which system runs."""
    facts, prefix = os_facts(node), (asked.parameters["prefix"] or "").removeprefix("os.")
    return answer_json({name: value for name, value in facts.items() if name.startswith(prefix)})


def os_facts(node: Node) -> dict[str, str]:
    """Give what the system says about itself."""
    from pinwheel.node.network import state_value
    from pinwheel.node.status import kernel_argument

    release = node.paths.text(places.OS_RELEASE)
    return {
        "pretty_name": state_value(release, "PRETTY_NAME"),
        "variant_id": state_value(release, "VARIANT_ID"),
        "version_id": state_value(release, "VERSION_ID"),
        "build_id": kernel_argument(node.paths.text(places.COMMAND_LINE), "roothash"),
        "arch": os.uname().machine,
    }


def _path(text: str, parameter: str) -> Path:
    from pinwheel.settings.changes import parse_path

    try:
        return parse_path(text.rstrip("."))
    except ValueError as error:
        raise one(400, "bad-path", str(error), path=parameter) from None


def paths_of(keys: list[str]) -> list[Path]:
    """Read paths of settings.

    Raises:
        ApiError: with all that are none.
    """
    from pinwheel.settings.changes import parse_path

    paths, problems = [], []
    for key in keys:
        try:
            paths.append(parse_path(key))
        except ValueError as error:
            problems.append(problem("bad-path", str(error), path=key[:100]))
    if problems:
        raise ApiError(400, problems[0]["message"], problems)
    return paths


def require(settings: dict[str, Any], paths: list[Path], keys: list[str], words: str) -> None:
    """Raise ApiError (404) with all paths at which there is nothing."""
    from pinwheel.settings.changes import value_at

    problems = []
    for path, key in zip(paths, keys, strict=True):
        try:
            value_at(settings, path)
        except KeyError:
            problems.append(problem("no-such-key", f"{key[:100]}: {words}", path=key[:100]))
    if problems:
        raise ApiError(404, problems[0]["message"], problems)


def _of_keys(settings: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    from pinwheel.settings.changes import select

    paths = paths_of(keys)
    require(settings, paths, keys, "there is no such setting")
    return select(settings, paths)


def _begins_with(tree: dict[str, Any], path: Path) -> dict[str, Any]:
    from pinwheel.settings.changes import select

    return select(tree, [path], partial=True)
