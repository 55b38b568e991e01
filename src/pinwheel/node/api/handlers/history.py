# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The history of the settings, and changes on trial. The actuator keeps both."""

from typing import TYPE_CHECKING, Any

from pinwheel.node.api.message import Asked, Response, answer_json, generation_header
from pinwheel.node.api.node import Node
from pinwheel.node.api.pending import leaves

if TYPE_CHECKING:
    from pinwheel.node.actuator.protocol import Verb


async def list_generations(node: Node, asked: Asked) -> Response:
    """The newest generations."""
    from pinwheel.node.actuator.protocol import ListGenerations

    return answer_json(await node.ask(ListGenerations(asked.parameters["limit"])))


async def get_generation(node: Node, asked: Asked) -> Response:
    """One generation."""
    return answer_json(await _generation(node, asked), headers=generation_header(asked.numbers["number"]))


async def diff_generation(node: Node, asked: Asked) -> Response:
    """What a generation changed; the first one changed the defaults."""
    from pinwheel.node.actuator.protocol import DiffGenerations

    number, against = asked.numbers["number"], asked.parameters["against"]
    if not against:
        generation = await _generation(node, asked)
        against = generation["parent"]
        if not against:
            return answer_json(_first_changes(generation["settings"]))
    return answer_json(await node.ask(DiffGenerations(against, number)))


def _first_changes(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what differs from nothing."""
    from pinwheel.settings.problem import path_text

    return [{"path": path_text(("settings", *path)), "old": None, "new": value} for path, value in leaves(settings)]


async def _generation(node: Node, asked: Asked) -> dict[str, Any]:
    from pinwheel.node.actuator.protocol import ShowGeneration

    found: dict[str, Any] = await node.ask(ShowGeneration(asked.numbers["number"]))
    return found


async def rollback(node: Node, asked: Asked) -> Response:
    """Go back to a generation."""
    from pinwheel.node.actuator.protocol import Author, Rollback

    author = Author(**asked.client.author)
    return await _done(node, Rollback(asked.numbers["number"], author, dry_run=asked.parameters["dry_run"]))


async def confirm_trial(node: Node, asked: Asked) -> Response:
    """Keep what is on trial."""
    from pinwheel.node.actuator.protocol import Author, Confirm

    return await _done(node, Confirm(Author(**asked.client.author)))


async def revert_trial(node: Node, asked: Asked) -> Response:
    """Take back what is on trial."""
    from pinwheel.node.actuator.protocol import Author, Revert

    return await _done(node, Revert(Author(**asked.client.author)))


async def _done(node: Node, verb: "Verb") -> Response:
    result = await node.ask(verb)
    return answer_json(result, headers=generation_header(result["generation"]))
