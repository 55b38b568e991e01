# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Who reads which settings, and what the API itself can do."""

from typing import Any

from pinwheel.api.endpoints import REPORTS
from pinwheel.api.problem import ApiError, one, problem
from pinwheel.node.api.handlers.settings import paths_of, require
from pinwheel.node.api.message import Asked, Response, answer_json
from pinwheel.node.api.node import OPENAPI, Node


async def get_affected_services(node: Node, asked: Asked) -> Response:
    """For each key the services that a change of it concerns."""
    view, keys = node.view.read(), asked.parameters["keys"]
    paths = paths_of(keys)
    require(view.all_settings, paths, keys, "there is no such setting")
    affected = view.content["affected"]
    return answer_json({key: _affected(affected, path) for key, path in zip(keys, paths, strict=True)})


def _affected(affected: dict[str, list[str]], path: tuple[str, ...]) -> list[str]:
    """Give the services of the prefixes above a key, and of those below it."""
    key = ".".join(("settings", *path)) + "."
    near = [names for prefix, names in affected.items() if key.startswith(f"{prefix}.") or f"{prefix}.".startswith(key)]
    return sorted({name for names in near for name in names})


async def get_setting_generators(_node: Node, _asked: Asked) -> Response:
    """None: settings of this system have defaults, and nothing computes them."""
    return answer_json({})


async def get_templates(node: Node, asked: Asked) -> Response:
    """None: files are rendered by code."""
    require(
        node.view.read().all_settings, paths_of(asked.parameters["keys"]), asked.parameters["keys"], "no such setting"
    )
    return answer_json({})


async def get_services(node: Node, asked: Asked) -> Response:
    """The consumers of settings."""
    return answer_json(_chosen(node.view.read().content["services"], asked, "services"))


async def get_configuration_files(node: Node, asked: Asked) -> Response:
    """The files that settings turn into."""
    return answer_json(_chosen(node.view.read().content["configuration_files"], asked, "configuration-files"))


def _chosen(found: dict[str, Any], asked: Asked, what: str) -> dict[str, Any]:
    names, prefix = asked.parameters["names"], asked.parameters["prefix"]
    if names and prefix:
        raise one(400, "bad-parameter", "either `names` or `prefix`", path="prefix")
    if prefix:
        wanted = prefix.removeprefix(f"{what}.")
        return {name: value for name, value in found.items() if name.startswith(wanted)}
    missing = [name for name in names or () if name not in found]
    if missing:
        problems = [
            problem("no-such-name", f"there is no {name[:100]!a} in {what}", path=name[:100]) for name in missing
        ]
        raise ApiError(404, problems[0]["message"], problems)
    return {name: found[name] for name in names} if names else found


async def get_openapi(node: Node, _asked: Asked) -> Response:
    """The description of the API, as it was written at the image's build."""
    return Response(200, node.paths.at(OPENAPI).read_bytes())


async def list_reports(_node: Node, _asked: Asked) -> Response:
    """The reports that this version can make."""
    return answer_json(list(REPORTS))
